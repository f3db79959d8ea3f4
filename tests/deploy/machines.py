"""Machines of a small private network on this one: Linux network namespaces that a bridge joins, with no way out.

    with Network({"client": "10.77.0.2", "server": "10.77.0.3"}) as network:
        process = network.start("server", ["python", "-m", "http.server"])

Every machine knows the others as `<name>.internal`. What runs on one sees only its own loopback and the network.
"""

import contextlib
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STOP_SECONDS = 20.0


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def why_not() -> str | None:
    """Why no namespaces can be made here; None where they can."""
    name = f"lxn-{secrets.token_hex(4)}"
    try:
        _ip("netns", "add", name)
        _ip("-n", name, "link", "add", "bridge", "type", "bridge")
    except (OSError, FileNotFoundError) as error:
        return f"network namespaces cannot be made here ({error})"
    finally:
        with contextlib.suppress(OSError, FileNotFoundError):
            _ip("netns", "delete", name)
    return None


class Network:
    """A context manager: the machines, and what was started on them, are gone afterwards.

    Args:
        machines: address of each by name, all in one /24.
    """

    def __init__(self, machines: Mapping[str, str]) -> None:
        self._machines = dict(machines)
        self._run = secrets.token_hex(3)
        self._processes: list[subprocess.Popen[Any]] = []

    def _namespace(self, machine: str) -> str:
        return f"lxn-{self._run}-{machine}"

    def __enter__(self) -> "Network":
        try:
            self._join()
        except BaseException:
            self.close()
            raise
        return self

    def _join(self) -> None:
        hosts = "".join(f"{address} {name}.internal\n" for name, address in self._machines.items())
        switch = self._namespace("switch")
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "bridge", "up", "type", "bridge")
        for number, (name, address) in enumerate(self._machines.items()):
            namespace, port = self._namespace(name), f"port{number}"
            # `ip netns exec` puts these files in the place of those in /etc.
            files = Path("/etc/netns", namespace)
            files.mkdir(parents=True)
            (files / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
            _ip("netns", "add", namespace)
            _ip("-n", switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
            _ip("-n", switch, "link", "set", port, "master", "bridge", "up")
            _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", namespace, "link", "set", "eth0", "up")
            _ip("-n", namespace, "link", "set", "lo", "up")

    def start(self, machine: str, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a program on a machine; `options` are Popen's. It is the leader of a process group."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self._namespace(machine), *command], start_new_session=True, **options
        )
        self._processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[Any]) -> None:
        """As a power failure: the program and its children end without a word."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)

    def close(self) -> None:
        for process in self._processes:
            self.kill(process)
        for name in [*self._machines, "switch"]:
            namespace = self._namespace(name)
            with contextlib.suppress(OSError):  # it was not made
                _ip("netns", "delete", namespace)
            (Path("/etc/netns", namespace) / "hosts").unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                Path("/etc/netns", namespace).rmdir()

    def __exit__(self, *_: object) -> None:
        self.close()
