"""A Redis of the test's own: `redis-server` on a free port of loopback, with a password, nothing on disk."""

import secrets
import subprocess
import time
from pathlib import Path

import redis

from support.ports import hold_port


class RedisServer:
    """The process; a context manager. `environment` is what makes a proxy use it."""

    def __init__(self, directory: Path) -> None:
        self.password = secrets.token_urlsafe(16)
        self._held = hold_port()
        self.port = self._held.getsockname()[1]
        self._directory = directory
        self.environment = {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.port),
            "REDIS_PASSWORD": self.password,
            "REDIS_SOCKET_TIMEOUT": "5",  # by default 0.1 s, after which a busy machine goes without Redis
        }

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=self.password, decode_responses=True)

    def start(self) -> "RedisServer":
        """Start it, again too: empty."""
        settings = [f"port {self.port}", "bind 127.0.0.1", f"requirepass {self.password}", 'save ""', "appendonly no"]
        config = self._directory / "redis.conf"
        config.write_text("\n".join([*settings, f"dir {self._directory}", ""]))
        self._process = subprocess.Popen(["redis-server", str(config)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.client().ping()
                return self
            except redis.ConnectionError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)

    def kill(self) -> None:
        """As a power failure does."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> "RedisServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._held.close()
