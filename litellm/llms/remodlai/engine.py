"""
A local engine seen from its callers: where it is, how it is started, shared, replaced and stopped.

An engine is vLLM's OpenAI server (`engine_server.py`) behind a Unix socket in a directory that only this user can
enter, one per model and options on a machine. Callers agree without a daemon: the kernel's file locks say who starts
an engine and who uses it, and are given back however a process ends. Nothing here blocks: what takes time is a
generator of pauses, so that `time.sleep` and `asyncio.sleep` can both drive it.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import IO, Any

from litellm.llms.remodlai.engine_check import cannot_be_served
from litellm.llms.remodlai.engine_end import why_it_ended
from litellm.llms.remodlai.engine_environment import decisive, passed_on
from litellm.llms.remodlai.engine_log import Progress
from litellm.llms.remodlai.engine_options import (
    SEVERAL_MACHINES,
    base_model,
    in_one_form,
    option_name,
    option_tokens,
    values_of,
)
from litellm.llms.remodlai.errors import NoServer, failure

try:
    import fcntl
except ModuleNotFoundError:  # Windows, for which there is no vLLM
    fcntl = None  # type: ignore[assignment]

Pauses = Generator[float, None, None]

SHARED = Path("/tmp")
SERVER = Path(__file__).with_name("engine_server.py")
POLL_SECONDS = 0.1
# A process that holds on to an engine's directory this long without serving will not get better.
STUCK_SECONDS = 60.0
ANSWER_SECONDS = 2.0
ANSWER_BYTES = 4096
ANSWER_POLL_SECONDS = 0.01
DEFAULT_KEEP_ALIVE = 15 * 60.0
DEFAULT_MAX_ENGINES = 1
# Calls that one engine has at once, running or waiting.
DEFAULT_MAX_CALLS = 4096
# How long a busy engine goes on taking calls when another model waits for its place.
DEFAULT_PATIENCE = 10.0
# Calls that come this soon after a failed start get its error; a later one tries again.
REMEMBERED_SECONDS = 10.0
# macOS allows 104 bytes for the path of a Unix socket; vLLM names its own with 36 characters.
SOCKET_PATH_BYTES = 104 - 37
SLUG_BYTES = 16
DIGEST_BYTES = 8
NAME_BYTES = SLUG_BYTES + 1 + DIGEST_BYTES

_LEASES: dict[Path, int] = {}
_CHILDREN: list[subprocess.Popen[bytes]] = []


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
    refused = []
    for path in _places():
        reason = _refusal(path)
        if reason is None:
            return path
        refused.append(f"{path} {reason}")
    raise failure(f"no place for sockets: {'; '.join(refused)}; set XDG_RUNTIME_DIR to a short path of your own", 500)


def _places() -> Iterator[Path]:
    session = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isdir(session) and os.access(session, os.W_OK):
        yield Path(session, "lexiq-nova")
    name = f"lexiq-nova-{os.geteuid()}"
    yield Path(tempfile.gettempdir(), name)
    yield SHARED / name
    yield Path(os.path.expanduser("~"), ".cache", "lexiq-nova")


def _refusal(path: Path) -> str | None:
    """Returns why a place cannot be the runtime directory, or None; makes the directory where it is missing."""
    if len(os.fsencode(path)) + 1 + NAME_BYTES > SOCKET_PATH_BYTES:
        return "is too long for a socket"
    with _disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        except FileExistsError:
            pass  # most calls find it; whose it is, the next lines ask
        except (PermissionError, NotADirectoryError) as error:
            return f"cannot be made ({error.strerror})"
        found = path.lstat()
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
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failure(f"cannot use the runtime directory {path}: {error.strerror or error}", 500) from error


def _number(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    try:
        return float(text) if text else default
    except ValueError:
        raise failure(f"{name} must be a number, not {text!r}", 400) from None


def max_calls() -> int:
    """Returns how many calls an engine takes at once, and how many of a process may wait for it; 0 for any number."""
    return int(_number("LEXIQ_NOVA_MAX_CALLS", DEFAULT_MAX_CALLS))


def _lock(path: Path, how: int) -> IO[bytes] | None:
    """Returns an open file that holds the lock until it is closed, or None where somebody else holds it."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except BaseException:
        file.close()
        raise
    return file


def _connect(path: Path) -> socket.socket | None:
    """Returns a connection in non-blocking mode, or None where nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        connection.connect(str(path))
    except BlockingIOError:
        pass  # somebody listens, and has more callers waiting than it takes at once
    except OSError:
        connection.close()
        return None
    return connection


def _listens(path: Path) -> bool:
    connection = _connect(path)
    if connection is None:
        return False
    connection.close()
    return True


def ask(folder: Path, request: str) -> Generator[float, None, dict[str, Any] | None]:
    """
    Asks an engine's keeper.

    Args:
        folder: the engine's directory.
        request: `status`; `start`, which lets a checked engine load; `stop`; `give-way`, to whoever waits for its
            place; or `kill PID`, which only the process of that id obeys.

    Returns:
        The engine's status; empty if it did not answer in time; None if no engine is there.
    """
    connection = _connect(folder / "control")
    if connection is None:
        return None
    with connection:
        deadline = time.monotonic() + ANSWER_SECONDS
        with contextlib.suppress(OSError, ValueError):
            connection.send(request.encode())
            while time.monotonic() < deadline:
                with contextlib.suppress(BlockingIOError):
                    return json.loads(connection.recv(ANSWER_BYTES))
                yield ANSWER_POLL_SECONDS
    return {}


def wait(pauses: Generator[float, None, Any]) -> Any:
    """Drives a generator of pauses in this thread; returns what it returns."""
    while True:
        try:
            time.sleep(next(pauses))
        except StopIteration as end:
            return end.value


@cache
def is_installed(python: str) -> bool:
    """Whether vLLM can be imported there; of another interpreter only its own start can tell."""
    return fcntl is not None and (python != sys.executable or importlib.util.find_spec("vllm") is not None)


def _interpreter() -> str:
    return os.environ.get("LEXIQ_NOVA_PYTHON") or sys.executable


def vllm_is_here() -> bool:
    """Whether an engine can be started at all."""
    return is_installed(_interpreter())


def folders() -> list[Path]:
    """Returns the directories of this user's engines."""
    return sorted(path.parent for path in runtime_directory().glob("*/starting"))


def engines() -> list["Engine"]:
    """Returns this user's engines, running or not."""
    return [engine for folder in folders() if (engine := Engine.in_folder(folder))]


def running_engines() -> list["Engine"]:
    """Returns this user's engines that are there, loading ones included."""
    return [engine for engine in engines() if _listens(engine.folder / "control")]


@dataclass(frozen=True)
class Engine:
    """
    One model with one set of options, served from this machine.

    Args:
        model: directory or model id, as vLLM gets it.
        tokens: options on vLLM's command line, in one form.
        python: interpreter that has vLLM.
        environment: variables that vLLM reads and that make another engine of the same model.
    """

    model: str
    tokens: tuple[str, ...]
    python: str
    environment: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, model: str, options: Mapping[str, object] | str | None = None) -> "Engine":
        """
        The engine that a call means, with the options, the interpreter and the devices of the environment.

        Args:
            model: directory or model id; where the options name a `model`, one of the names that it has there.
            options: engine options of the call; they win over `LEXIQ_NOVA_ENGINE_ARGS`.

        Raises:
            LexiqNovaError: the options cannot be used, the engine has no such name, or vLLM is not installed.
        """
        base, own = base_model(options)
        tokens = (*option_tokens(os.environ.get("LEXIQ_NOVA_ENGINE_ARGS")), *option_tokens(own))
        if not vllm_is_here():
            raise NoServer
        environment = tuple(decisive(os.environ).items())
        engine = cls(cls.place_of(base or model), in_one_form(tokens), _interpreter(), environment)
        if base is not None:
            engine.require_name(model)
        return engine

    @cached_property
    def adapters(self) -> tuple[str, ...]:
        """Names of the LoRA adapters that its options give it; vLLM answers with an adapter if a call names it."""
        named = values_of(self.tokens, "lora-modules")
        return tuple(str(json.loads(each)["name"]) if each[0] == "{" else each.partition("=")[0] for each in named)

    def require_name(self, name: str) -> None:
        """
        Passes for the names by which this engine answers: its model's, those served by it, those of its adapters.

        Raises:
            LexiqNovaError: 404, there is no such name.
        """
        served = (*values_of(self.tokens, "served-model-name"), *self.adapters)
        if name not in served and self.place_of(name) != self.model:
            known = ", ".join((self.model, *served))
            raise failure(f"the engine of {self.model} has no model or adapter {name}; it has {known}", 404)

    @staticmethod
    def place_of(model: str) -> str:
        """Returns a model that is on this machine by its one path, however it is spelt; any other as it is."""
        path = os.path.expanduser(model)
        return os.path.realpath(path) if os.path.exists(path) else model

    @classmethod
    def in_folder(cls, folder: Path) -> "Engine | None":
        """Returns the engine that was last started in a directory, if any was."""
        for name in ("engine.json", "ended.json"):
            with contextlib.suppress(FileNotFoundError, ValueError, KeyError):  # an older release's has less
                description = json.loads((folder / name).read_bytes())
                environment = tuple(description["environment"].items())
                return cls(description["model"], tuple(description["tokens"]), description["python"], environment)
        return None

    @cached_property
    def name(self) -> str:
        """Name of the engine and of its directory; also a host name."""
        known_by = [self.model, self.tokens, self.python, self.environment]
        digest = hashlib.sha256(json.dumps(known_by).encode()).hexdigest()
        slug = re.sub("[^a-z0-9]+", "-", os.path.basename(self.model).lower()).strip("-")[:SLUG_BYTES].strip("-")
        return f"{slug or 'model'}-{digest[:DIGEST_BYTES]}"

    @cached_property
    def folder(self) -> Path:
        return runtime_directory() / self.name

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def use(self) -> None:
        """Marks this process, until it ends, as a user of the engine."""
        if self.folder in _LEASES:
            return
        # Without a directory there is no engine yet: `ensure` comes here again.
        with _disk_errors(self.folder), contextlib.suppress(FileNotFoundError):
            lease = _lock(self.folder / "users", fcntl.LOCK_SH)
            if lease is not None:
                with lease:
                    _LEASES[self.folder] = os.dup(lease.fileno())  # held until the process ends

    def settle(self) -> Pauses:
        """Waits out the moment in which an engine that was killed still seems to listen."""
        while (yield from ask(self.folder, "status")) == {}:
            yield POLL_SECONDS

    def ensure(self, broken: int | None = None) -> Pauses:
        """
        Starts the engine or waits for whoever is starting it; returns at once where it is already listening.

        Args:
            broken: process id of an engine that answers but cannot work any more; it is replaced, once.

        Yields:
            Seconds to pause before going on.

        Raises:
            LexiqNovaError: the engine did not start; with vLLM's own last error line and the path of its log.
        """
        began = time.time()
        with _disk_errors(self.folder):
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with Progress(self.model, self.log) as progress:
                while not (broken is None and _listens(self.socket)):
                    self.use()
                    starting = _lock(self.folder / "starting", fcntl.LOCK_EX)
                    if starting is not None:
                        with starting:
                            yield from self._start(began, broken, progress)
                        return
                    progress.show()
                    yield POLL_SECONDS
        self.use()

    def _start(self, began: float, broken: int | None, progress: Progress) -> Pauses:
        if broken is not None:
            yield from self._kill(broken)
        self._raise_if_failed(since=began)
        with Turn(runtime_directory() / "queue") as turn:
            yield from self._load(turn, progress)

    def _load(self, turn: "Turn", progress: Progress) -> Pauses:
        seen_loading = False
        child: subprocess.Popen[bytes] | None = None
        waiting_since = time.monotonic()
        while not _listens(self.socket):
            self.use()
            alive = _lock(self.folder / "alive", fcntl.LOCK_EX)
            if alive is None:
                # Somebody's engine is loading if its keeper answers; one on its way out says that it is leaving. Of one
                # that was killed, workers are left for a moment, and a socket at which nobody answers.
                status = yield from ask(self.folder, "status")
                seen_loading |= bool(status and not status["leaving"])
                if status == {} or status and status["running"]:
                    waiting_since = time.monotonic()
                if not seen_loading and time.monotonic() - waiting_since > STUCK_SECONDS:
                    raise failure(f"the previous engine of {self.model} does not end; see {self.log}", 500)
                if status and status["checked"] and not status["admitted"]:
                    yield from self._take_place(turn, progress)
                if status and status["admitted"]:
                    turn.give_up()
            elif seen_loading:
                alive.close()
                while child is not None and child.poll() is None:
                    yield POLL_SECONDS  # the kernel is still clearing it away
                self._fail(None if child is None else child.returncode)
            else:
                with alive:
                    self._raise_if_it_is_not_here()
                    child = yield from self._spawn_with_place(alive, turn)
                seen_loading = True
            progress.show()
            yield POLL_SECONDS

    def _spawn_with_place(self, alive: IO[bytes], turn: "Turn") -> Generator[float, None, "subprocess.Popen[bytes]"]:
        # Where there is room, the load goes on when nobody waits for it any more.
        turn.take()
        room = yield from self._place(turn)
        with room or contextlib.nullcontext():
            child = self._spawn(alive, admitted=room is not None)
            while child.poll() is None and not _listens(self.folder / "control"):
                yield POLL_SECONDS  # until it counts as an engine for whoever makes room next
        return child

    def _take_place(self, turn: "Turn", progress: Progress) -> Pauses:
        """
        Waits, in the order of arrival, until another engine may load, and lets this one; it has been checked.

        Engines that are free leave for it, least recently used first; if none is, a busy one takes no more calls after
        a while.
        """
        silent_since: dict[Path, float] = {}
        turn.take()
        while (yield from ask(self.folder, "status")) is not None:
            room = yield from self._place(turn, silent_since)
            if room is not None:
                with room:
                    yield from ask(self.folder, "start")
                return
            progress.show("waiting for another engine to become free (LEXIQ_NOVA_MAX_ENGINES)")
            yield POLL_SECONDS

    def _place(
        self, turn: "Turn", silent_since: dict[Path, float] | None = None
    ) -> Generator[float, None, IO[bytes] | None]:
        """
        Finds out whether another engine may load now.

        Args:
            turn: of this engine.
            silent_since: given if an engine shall be asked to leave where there is no room.

        Returns:
            A lock if it may; nobody else gets the place until it is closed.
        """
        room = _lock(runtime_directory() / "room", fcntl.LOCK_EX) if turn.has_come() else None
        if room is None:
            return None
        limit = max(1, int(_number("LEXIQ_NOVA_MAX_ENGINES", DEFAULT_MAX_ENGINES)))
        with contextlib.ExitStack() as stack:
            stack.enter_context(room)
            others = yield from self._others()
            if len(others) < limit:
                stack.pop_all()
                return room
            if silent_since is not None:
                yield from _make_room(others, limit, silent_since)
        return None

    def _others(self) -> Generator[float, None, dict[Path, dict[str, Any]]]:
        """What the other engines that have a place say of themselves, by directory; nothing if one did not answer."""
        others = {}
        for folder in folders():
            if folder != self.folder:
                status = yield from ask(folder, "status")
                if status is not None and status.get("admitted", True):
                    others[folder] = status
        return others

    def _spawn(self, alive: IO[bytes], admitted: bool) -> subprocess.Popen[bytes]:
        _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
        for path in self.folder.iterdir():
            if path.name not in ("starting", "alive", "users"):
                path.unlink()
        description = {
            "model": self.model,
            "tokens": self.tokens,
            "python": self.python,
            "environment": dict(self.environment),
            "keep_alive": _number("LEXIQ_NOVA_KEEP_ALIVE", DEFAULT_KEEP_ALIVE),
            "admitted": admitted,
            "max_calls": max_calls(),
            "patience": _number("LEXIQ_NOVA_PATIENCE", DEFAULT_PATIENCE),
            "args": ["--model", self.model, *self.tokens, "--uds", str(self.socket), "--disable-uvicorn-access-log"],
        }
        _write(self.folder / "engine.json", json.dumps(description).encode())
        with open(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            try:
                child = subprocess.Popen(
                    [self.python, str(SERVER), str(self.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environment(),
                    start_new_session=True,  # Ctrl-C in the caller's terminal is not meant for the engine
                    pass_fds=[alive.fileno()],  # locked before the engine exists, given back when it is gone
                )
            except OSError as error:
                raise failure(f"{self.python} cannot be run: {error.strerror} (LEXIQ_NOVA_PYTHON)", 400) from error
        _CHILDREN.append(child)
        return child

    def _environment(self) -> dict[str, str]:
        own = {
            "VLLM_SKIP_MODEL_NAME_VALIDATION": "1",  # the socket stands for the model, however its path is spelt
            "VLLM_RPC_BASE_PATH": str(self.folder),
            "VLLM_NO_USAGE_STATS": "1",
            # A connection that a client keeps must not be closed just as it sends the next call.
            "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "3600",
        }
        names = {option_name(token) for token in self.tokens}
        if not SEVERAL_MACHINES & names and not any(token.endswith("ray") for token in self.tokens):
            own["VLLM_HOST_IP"] = "127.0.0.1"
            if sys.platform == "linux":
                own["GLOO_SOCKET_IFNAME"] = "lo"
        known_by = decisive(os.environ)
        given = passed_on({name: value for name, value in os.environ.items() if name not in known_by})
        return {**own, **given, **dict(self.environment), "VLLM_SKIP_MODEL_NAME_VALIDATION": "1"}

    def _kill(self, pid: int) -> Pauses:
        # The engine ends itself: in another PID namespace its number may be a stranger's here.
        while True:
            status = yield from ask(self.folder, f"kill {pid}")
            if status is None or status.get("pid", pid) != pid:
                return
            yield POLL_SECONDS

    def _fail(self, code: int | None) -> None:
        stopped = (self.folder / "stopped").exists()
        if stopped:
            text, status_code = f"the engine for {self.model} was stopped while it was loading", 503
        else:
            reason, status_code = why_it_ended(self.log, code)
            text = f"the engine for {self.model} did not start: {reason} (full log: {self.log})"
        record = {"at": time.time(), "is_fault": not stopped, "message": text, "status_code": status_code}
        _write(self.folder / "failed", json.dumps(record).encode())
        raise failure(text, status_code)

    def raise_if_it_cannot_start(self) -> None:
        """
        Looks at what is known without a start.

        Raises:
            LexiqNovaError: the model is not there, or the engine has just failed to start.
        """
        self._raise_if_it_is_not_here()
        self._raise_if_failed(since=time.time())

    def _raise_if_it_is_not_here(self) -> None:
        why_not = cannot_be_served(self.model, self.tokens)
        if why_not is not None:
            raise failure(*why_not)

    def _raise_if_failed(self, since: float) -> None:
        """Calls that wait for the same start, and those that come soon after, share its failure."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            record = json.loads((self.folder / "failed").read_bytes())
            if record["at"] >= since - (REMEMBERED_SECONDS if record["is_fault"] else 0.0):
                raise failure(record["message"], record["status_code"])


def _make_room(others: Mapping[Path, Mapping[str, Any]], limit: int, silent_since: dict[Path, float]) -> Pauses:
    """
    Asks one engine to give its place away, unless one is leaving, or may be: the one that has been idle longest; if all
    are busy, the one that was asked before, or else the oldest.
    """
    now = time.monotonic()
    for folder in others:
        if others[folder]:
            silent_since.pop(folder, None)
        elif now - silent_since.setdefault(folder, now) < STUCK_SECONDS:
            return  # too busy to answer, perhaps with leaving: it is asked again before another loses its place
    staying = [folder for folder, status in others.items() if not status.get("leaving")]
    if len(staying) >= limit:
        fields = ("idle", "wanted", "uptime")
        yield from ask(
            max(staying, key=lambda folder: [others[folder].get(field, 0.0) for field in fields]), "give-way"
        )


class Turn:
    """
    A place in a queue of this user's processes; one that ends, however it ends, loses it.

    Args:
        folder: holds a file for each that waits, named by when it came and locked for as long as it waits.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "nobody"
        self.file: IO[bytes] | None = None

    def take(self) -> None:
        """Stands at the end of the queue, if not in it yet."""
        if self.file is None:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.path = self.folder / f"{time.time_ns():020d}-{os.getpid()}-{id(self)}"
            self.file = _lock(self.path, fcntl.LOCK_EX)

    def __enter__(self) -> "Turn":
        return self

    def has_come(self) -> bool:
        """Whether nobody is waiting who came before."""
        for path in sorted(self.folder.iterdir()):
            if path == self.path:
                return True
            with contextlib.suppress(FileNotFoundError):  # it had its turn just now
                left = _lock(path, fcntl.LOCK_EX)
                if left is None:
                    return False
                with left:
                    path.unlink()
        return True

    def give_up(self) -> None:
        """Lets the next one have its turn."""
        self.path.unlink(missing_ok=True)
        if self.file is not None:
            self.file.close()
            self.file = None

    def __exit__(self, *_: object) -> None:
        self.give_up()


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
