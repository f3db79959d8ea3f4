"""
Where this user's engines are on this machine, and how their processes agree: a directory that nobody else can enter,
the kernel's file locks, and a socket on which each engine's keeper answers.

The kernel gives a lock back however a process ends, so nothing has to be cleaned up after one. Nothing here blocks:
what takes time is a generator of pauses, so that `time.sleep` and `asyncio.sleep` can both drive it.
"""

import asyncio
import contextlib
import json
import os
import socket
import stat
import tempfile
import time
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final, TypeAlias, TypeVar

from litellm.llms.remodlai.engine.errors import failure

# Not on Windows, for which there is no vLLM.
HAS_LOCKS: Final = find_spec("fcntl") is not None
if HAS_LOCKS:
    import fcntl

Pauses: TypeAlias = Generator[float, None, None]
Returned = TypeVar("Returned")  # rebind-ok: mypy takes no Final TypeVar

SHARED: Final = Path("/tmp")
POLL_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = 2.0
ANSWER_BYTES: Final = 4096
ANSWER_POLL_SECONDS: Final = 0.01
# macOS allows 104 bytes for the path of a Unix socket; vLLM names its own with 36 characters.
SOCKET_PATH_BYTES: Final = 104 - 37
SLUG_BYTES: Final = 16
DIGEST_BYTES: Final = 8
NAME_BYTES: Final = SLUG_BYTES + 1 + DIGEST_BYTES


def runtime_directory() -> Path:
    """
    The directory of this user's engines: in `$XDG_RUNTIME_DIR`, else in the temporary directory, else in the home.

    The first place that this user can have to itself is taken. Another user may have made a directory of that name in
    a shared place, and a path may be too long for a socket (macOS' temporary directory is).

    Returns:
        An existing directory that belongs to this user and that nobody else can enter.

    Raises:
        LexiqNovaError: there is no such place, or this user's directory is open to others.
    """
    refused: Final = []
    for path in _places():
        reason = _refusal(path)
        if reason is None:
            return path
        refused.append(f"{path} {reason}")
    raise failure(f"no place for sockets: {'; '.join(refused)}; set XDG_RUNTIME_DIR to a short path of your own", 500)


def _places() -> Iterator[Path]:
    session: Final = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isdir(session) and os.access(session, os.W_OK):
        yield Path(session, "lexiq-nova")
    name: Final = f"lexiq-nova-{os.geteuid()}"
    yield Path(tempfile.gettempdir(), name)
    yield SHARED / name
    yield Path(os.path.expanduser("~"), ".cache", "lexiq-nova")


def _refusal(path: Path) -> str | None:
    """Returns why a place cannot be the runtime directory, or None; makes the directory where it is missing."""
    if len(os.fsencode(path)) + 1 + NAME_BYTES > SOCKET_PATH_BYTES:
        return "is too long for a socket"
    with disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        except FileExistsError:
            pass  # most calls find it; whose it is, the next lines ask
        except (PermissionError, NotADirectoryError) as error:
            return f"cannot be made ({error.strerror})"
        found: Final = path.lstat()
    if found.st_uid != os.geteuid():
        return f"belongs to user {found.st_uid}"
    if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        raise failure(
            f"{path} must be a directory that only user {os.geteuid()} can enter (mode 0700); remove it, "
            "or set XDG_RUNTIME_DIR to another place",
            500,
        )
    return None


@contextlib.contextmanager
def disk_errors(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise failure(f"cannot use the runtime directory {path}: {error.strerror or error}", 500) from error


def exclusive(path: Path) -> IO[bytes] | None:
    """Returns an open file that holds a lock until it is closed, or None where somebody else holds one."""
    return _lock(path, fcntl.LOCK_EX)


def shared(path: Path) -> IO[bytes] | None:
    """As `exclusive`, for a lock that several may hold."""
    return _lock(path, fcntl.LOCK_SH)


def _lock(path: Path, how: int) -> IO[bytes] | None:
    file: Final = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except BaseException:
        file.close()
        raise
    return file


def connect(path: Path) -> socket.socket | None:
    """Returns a connection in non-blocking mode, or None where nobody listens."""
    connection: Final = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        connection.connect(str(path))
    except BlockingIOError:
        pass  # somebody listens, and has more callers waiting than it takes at once
    except OSError:
        connection.close()
        return None
    return connection


def listens(path: Path) -> bool:
    connection: Final = connect(path)
    if connection is None:
        return False
    connection.close()
    return True


def ask(folder: Path, request: str) -> Generator[float, None, dict[str, Any] | None]:
    """
    Asks an engine's keeper.

    Args:
        folder: the engine's directory.
        request: `status`; `wait`, which says that a call waits for it; `start`, which lets a checked engine load;
            `stop`; `give-way`, to whoever waits for its place; or `kill PID`, which only the process of that id obeys.

    Returns:
        The engine's status; empty if it did not answer in time; None if no engine is there.
    """
    connection: Final = connect(folder / "control")
    if connection is None:
        return None
    with connection:
        deadline: Final = time.monotonic() + ANSWER_SECONDS
        with contextlib.suppress(OSError, ValueError):
            connection.send(request.encode())
            while time.monotonic() < deadline:
                with contextlib.suppress(BlockingIOError):
                    return json.loads(connection.recv(ANSWER_BYTES))
                yield ANSWER_POLL_SECONDS
    return {}


def wait(pauses: Generator[float, None, Returned]) -> Returned:
    """Drives a generator of pauses in this thread; returns what it returns."""
    while True:
        try:
            time.sleep(next(pauses))
        except StopIteration as end:
            return end.value


async def awaited(pauses: Generator[float, None, Returned]) -> Returned:
    """As `wait`, in an event loop; whoever is cancelled gives up what the generator holds."""
    with contextlib.closing(pauses):
        while True:
            try:
                seconds = next(pauses)
            except StopIteration as end:
                return end.value
            await asyncio.sleep(seconds)


def write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
