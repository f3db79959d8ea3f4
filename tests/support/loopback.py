"""Keeps a Python process on this machine: every connection that is not loopback is refused.

`install()` adds one interpreter audit hook, which sees `connect`, `connect_ex`, `sendto`, `sendmsg` and name
lookups of every Python socket, whichever library opened it. uvloop opens its sockets in C, past the hook, so
its two doors are checked separately. Refused attempts are also kept in `attempts`: a library that swallows the
error does not hide the leak.

`child_env()` is the environment that makes Python children of this process install the guard as well (through
`sitecustomize.py` in `support/guard/`). `LOOPBACK_ONLY=0` in a child's environment leaves it out there: the
fork's own download step needs the package index.
"""

import ipaddress
import os
import socket
import sys
from pathlib import Path
from types import ModuleType

ENV = "LOOPBACK_ONLY"
_GUARD = Path(__file__).resolve().parent / "guard"
_CHECKED = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname"}

attempts: list[str] = []
"""What was refused in this process so far, one line each."""


class NotLoopback(ConnectionRefusedError):
    """Raised where a test process reaches for another host."""


def is_loopback(host: object) -> bool:
    """Whether `host` (a name or an address, as sockets take it) stays on this machine.

    Empty hosts and the wildcard addresses count: they are what a server binds to, and connecting to them
    reaches loopback. So does this machine's own name, which libraries look up for their logs.
    """
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    name = name.split("%")[0].rstrip(".").lower()
    if name in {"", "localhost", "ip6-localhost", socket.gethostname().lower()} or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def check(what: str, host: object) -> None:
    """Raise NotLoopback, and keep the attempt, unless `host` is on this machine."""
    if not is_loopback(host):
        attempts.append(f"{what} {host!r}")
        raise NotLoopback(f"tests may only reach loopback: {what} of {host!r} refused")


def of_this_process() -> ModuleType:
    """The module that guards this process: a child has its own copy, which `sitecustomize.py` installed."""
    return sys.modules.get("_loopback", sys.modules[__name__])


def take() -> list[str]:
    """The attempts refused since the last call; the list is empty afterwards."""
    kept = of_this_process().attempts
    taken, kept[:] = kept[:], []
    return taken


def _hook(event: str, args: tuple) -> None:
    if event in _CHECKED:
        sock, address = args
        if sock.family in (socket.AF_INET, socket.AF_INET6) and address is not None:
            check(event, address[0])
    elif event in _LOOKUPS:
        check(event, args[0])


def _guard_uvloop() -> None:
    try:
        import uvloop
    except ImportError:
        return

    def guarded(name: str, host_of):
        original = getattr(uvloop.Loop, name)

        def call(self, *args, **kwargs):
            check(f"uvloop.{name}", host_of(*args, **kwargs))
            return original(self, *args, **kwargs)

        setattr(uvloop.Loop, name, call)

    guarded("getaddrinfo", lambda host, *args, **kwargs: host)
    guarded("create_connection", lambda factory, host=None, *args, **kwargs: host)


def install() -> None:
    """Refuse, from now on and in this process, whatever is not loopback. Calling it again changes nothing."""
    if not getattr(sys, "_loopback_only", False):
        sys._loopback_only = True  # type: ignore[attr-defined]  # outlives a second import of this module
        sys.addaudithook(_hook)
        _guard_uvloop()


def child_env(env: dict[str, str] | None = None) -> dict[str, str]:
    """`env` (default: this process's environment) plus what makes Python children install the guard too."""
    env = dict(os.environ if env is None else env)
    paths = [str(_GUARD), *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    return {**env, ENV: "1", "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
