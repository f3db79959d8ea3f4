"""A real proxy: `litellm --config …` as a child process on a free port of loopback."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from support.loopback import child_env
from support.ports import hold_port
from support.waiting import until_it_serves

START_SECONDS = 300.0
STOP_SECONDS = 15.0
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "LD_LIBRARY_PATH", "COVERAGE_FILE")
"""What the proxy sees of this process's environment: no key and no base that a test did not give it."""


def deployment(model_name: str, model: str, server: str, **params: Any) -> dict[str, Any]:
    """One entry of `model_list`: `model` under the public name `model_name`, on the server with that base."""
    info = {"model_info": params.pop("model_info")} if "model_info" in params else {}
    return {"model_name": model_name, "litellm_params": {"model": model, "api_base": server, **params}, **info}


def config_of(models: list[dict[str, Any]], **sections: dict[str, Any]) -> dict[str, Any]:
    """config.yaml as data: `models` and further sections. A call ends when its client goes away, and a failed call is
    tried again at once, so that a test does not wait."""
    general = {"cancel_on_disconnect": True, **sections.pop("general_settings", {})}
    router = {"retry_after": 0, **sections.pop("router_settings", {})}
    return {"model_list": models, "general_settings": general, "router_settings": router, **sections}


class Gateway:
    """The proxy process; a context manager.

    Args:
        directory: where its config, log and the modules that the config names are; it runs there.
        config: config.yaml as data. A master key is made if `general_settings` has none.
        env: its environment beside what every process needs.
        args: more options of the `litellm` command.
        modules: files that the config names, copied beside it.
    """

    def __init__(
        self,
        directory: Path,
        config: Mapping[str, Any],
        env: Mapping[str, str] | None = None,
        args: tuple[str, ...] = (),
        modules: tuple[Path, ...] = (),
    ) -> None:
        general = {"master_key": f"sk-{secrets.token_urlsafe(24)}", **config.get("general_settings", {})}
        self.key: str = general["master_key"]
        self.log = directory / "proxy.log"
        self._directory, self._args, self._env = directory, args, dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._held = hold_port()
        self.url = f"http://127.0.0.1:{self._held.getsockname()[1]}"
        directory.mkdir(parents=True, exist_ok=True)
        for module in modules:
            shutil.copy(module, directory)
        (directory / "config.yaml").write_text(yaml.safe_dump({**config, "general_settings": general}, sort_keys=False))

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def headers(self) -> dict[str, str]:
        """What a client with the master key sends."""
        return {"Authorization": f"Bearer {self.key}"}

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client with the master key; paths are relative to the proxy."""
        return httpx.Client(base_url=self.url, **{"headers": self.headers, "timeout": 60, **options})

    def async_client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, **{"headers": self.headers, "timeout": 60, **options})

    def text(self) -> str:
        """Everything the proxy has printed."""
        return self.log.read_text(errors="replace")

    def start(self) -> "Gateway":
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        settings = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}
        port = self.url.rsplit(":", 1)[1]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "litellm.proxy.proxy_cli", "--config", "config.yaml"),
                    *("--host", "127.0.0.1", "--port", port, *self._args),
                ],
                cwd=self._directory,
                env=child_env({**inherited, **settings, **self._env}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        process = self._process
        until_it_serves(f"{self.url}/health/readiness", lambda: process.poll() is None, START_SECONDS, self.text)
        return self

    def wait(self) -> None:
        """Waits for the process, which was told to end."""
        assert self._process is not None, "not started"
        self._process.wait(STOP_SECONDS)

    def workers(self) -> list[int]:
        """The process ids of its workers, where it has several: not of multiprocessing's own helper."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [pid for pid in map(int, children) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process; no-op if it is not running."""
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._held.close()

    def __enter__(self) -> "Gateway":
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()


def events(lines: Any) -> list[Any]:
    """The data of server-sent events, parsed where they are JSON; `lines` as httpx's `iter_lines()` gives them."""
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [item if item == "[DONE]" else json.loads(item) for item in data]
