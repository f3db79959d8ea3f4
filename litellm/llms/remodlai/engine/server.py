"""
What runs inside the process of a local engine: vLLM's own OpenAI server on a Unix socket, and its keeper.

`start.py` starts this file by its path in an interpreter that has vLLM, and perhaps not LiteLLM: it imports the
standard library only, and vLLM when the keeper stands. The keeper is a thread that answers on a second socket (which
model, how many calls are running) and ends the engine once nobody needs it, so that no engine outlives its callers
even when they are killed. Counting happens here, where calls of every process meet.
"""

import asyncio
import contextlib
import fcntl
import gc
import importlib
import json
import os
import resource
import runpy
import signal
import socket
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from litellm.llms.remodlai.engine.needs import has_memory_for, needs_of, sleep_of
    from litellm.llms.remodlai.engine.states import State
else:
    State: Final = runpy.run_path(str(Path(__file__).with_name("states.py")))["State"]
    _needs: Final = runpy.run_path(str(Path(__file__).with_name("needs.py")))
    has_memory_for: Final = _needs["has_memory_for"]
    needs_of: Final = _needs["needs_of"]
    sleep_of: Final = _needs["sleep_of"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

# An engine that has just become free keeps its place this long: a caller that waited for it is about to ask.
SETTLE_SECONDS: Final = 1.0
# How long an engine that was asked to stop may take before its processes are killed.
STOP_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 0.5
REQUEST_BYTES: Final = 64
WAITING_CONNECTIONS: Final = 64
# An engine that waits for its place goes when no call has waited for it for this long.
FORGOTTEN_SECONDS: Final = 30.0
# A call that waits for an engine, or for its place, says so many times a second; after this silence none does.
SILENCE_SECONDS: Final = 5.0
# When a call may come again that was one too many.
RETRY_SECONDS: Final = 1
# vLLM's: 1 keeps the weights in the machine's memory, 2 throws them away.
SLEEP_LEVEL: Final = 1
# Header of a call that says how long the engine is to stay and what it gives way to.
WISHES: Final = b"x-lexiq-nova-wishes"
# Where vLLM has had the function that its server calls between its options and its work.
PARSERS: Final = ("vllm.entrypoints.launchers.cli_args", "vllm.entrypoints.openai.cli_args")
VALIDATE: Final = "validate_parsed_serve_args"
# vLLM imports the counting middleware by this name.
MODULE: Final = "lexiq_nova_engine_server"


class Activity:
    """
    How far the engine is, how many calls it is answering, since when it has been free, and whether it may take another.

    Args:
        patience: seconds for which a busy engine goes on taking calls when its place is wanted.
        max_calls: how many calls it takes at once; 0 for any number.
    """

    def __init__(self, patience: float = 0.0, max_calls: int = 0) -> None:
        self._lock = threading.Lock()
        self.wishes = {"keep_alive": 0.0, "priority": 0.0}
        self.needs: dict[str, Any] = {}  # empty until vLLM has read its options
        self.patience = patience
        self.max_calls = max_calls
        self.running = 0
        self.state = State.CHECKING
        self.admitted = threading.Event()
        self.began = self.admitted_at = self.ready_at = self.free_since = self.waited_at = time.monotonic()
        # Puts vLLM to sleep and wakes it, where it can sleep.
        self.sleeper: Sleeper | None = None
        self.wanted_since: float | None = None
        self.wanted_at = 0.0

    def enter(self, state: State) -> None:
        """Goes on to a state, unless the engine is further already."""
        with self._lock:
            self._enter(state)

    def _enter(self, state: State) -> None:
        if state.step > self.state.step:
            self.state = state

    def admit(self) -> None:
        """Lets the engine load, or wake: it has its place."""
        if not self.admitted.is_set() or self.state is State.SLEEPING:
            self.admitted_at = time.monotonic()
            self.enter(State.LOADING)
            self.admitted.set()

    def fall_asleep(self) -> None:
        """Goes back from the last call that it had to where it waits for a place, unless it is to leave."""
        with self._lock:
            if self.state is State.DRAINING:
                self.state = State.SLEEPING
                self.wanted_since = None

    def mark_ready(self) -> None:
        with self._lock:
            self._enter(State.READY)
            self.ready_at = self.free_since = time.monotonic()

    def touch(self) -> None:
        """Starts the idle clock anew."""
        with self._lock:
            self.free_since = time.monotonic()

    def idle_seconds(self) -> float:
        """Returns how long no call has been running; 0 while one is."""
        with self._lock:
            return 0.0 if self.running else time.monotonic() - self.free_since

    def is_waited_for(self) -> bool:
        """Whether a call waits for this engine to be ready."""
        return time.monotonic() - self.waited_at <= SILENCE_SECONDS

    def leave_if_free(self, seconds: float, by: State = State.LEAVING) -> bool:
        """Returns True, and takes no call from now on, if no call has been running for `seconds`."""
        with self._lock:
            if not self.running and time.monotonic() - self.free_since >= seconds:
                self._enter(by)
            return self.state.is_going

    def give_way(self) -> None:
        """
        Leaves at once if free. If busy, takes no call any more once its place has been wanted for `patience` and it has
        served for as long as it took to load: two models that are always wanted would do nothing but load.
        """
        can_sleep: Final = self.sleeper is not None and self.state is State.READY
        if self.leave_if_free(SETTLE_SECONDS, State.DRAINING if can_sleep else State.LEAVING):
            return
        with self._lock:
            now: Final = time.monotonic()
            if self.wanted_since is None or now - self.wanted_at > SILENCE_SECONDS:
                self.wanted_since = now
            self.wanted_at = now
            served: Final = now - self.ready_at
            if now - self.wanted_since >= self.patience and served >= self.ready_at - self.admitted_at:
                self._enter(State.DRAINING)

    def is_drained(self) -> bool:
        """Whether the last of the calls has ended that the engine had when it stopped taking more."""
        with self._lock:
            return self.state is State.DRAINING and not self.running

    def is_away(self) -> bool:
        """Whether it takes no call, now or any more: connections to it live on while it sleeps."""
        is_asleep: Final = self.sleeper is not None and self.sleeper.is_asleep
        return self.state.is_going or self.state is State.SLEEPING or is_asleep

    @contextlib.contextmanager
    def call(self) -> Generator[bool, None, None]:
        """Counts one call; gives False if the engine takes none: it is leaving, or has all that it may have."""
        with self._lock:
            taken: Final = not self.is_away() and (self.running < self.max_calls or not self.max_calls)
            self.running += taken
        try:
            yield taken
        finally:
            with self._lock:
                self.running -= taken
                self.free_since = time.monotonic()


class Application(Protocol):
    """What is read of vLLM's application."""

    state: Any


class Sleeper:
    """
    vLLM's sleep mode: the weights leave the GPU for the machine's memory, the process and its compiled code stay.

    Asks vLLM's engine itself: the HTTP routes for it come with others that nobody may call by a proxy.

    Args:
        app: vLLM's application, which knows its engine.
        loop: the event loop of the server.
    """

    def __init__(self, app: Application, loop: asyncio.AbstractEventLoop) -> None:
        self.app = app
        self.loop = loop
        self.is_asleep = False

    def sleep(self) -> "Future[None]":
        self.is_asleep = True
        return asyncio.run_coroutine_threadsafe(self.app.state.engine_client.sleep(SLEEP_LEVEL), self.loop)

    def wake(self) -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(self.app.state.engine_client.wake_up(), self.loop)


ACTIVITY: Final = Activity()


class CountCalls:
    """ASGI middleware: counts calls from their first byte to the last of the answer, streams included."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/health":  # asking how it is keeps no engine from being idle
            ACTIVITY.wishes.update(json.loads(dict(scope["headers"]).get(WISHES, b"{}")))
            with ACTIVITY.call() as taken:
                if taken:
                    await self.app(scope, receive, _name_engine_on_failure(send))
                elif ACTIVITY.is_away():
                    await _refuse(send)
                else:
                    await _refuse_for_now(send)
        elif scope["type"] == "lifespan":
            if ACTIVITY.needs.get("sleeps"):
                ACTIVITY.sleeper = Sleeper(scope["app"], asyncio.get_running_loop())
            await self.app(scope, receive, _notice_ready(send))
        else:
            await self.app(scope, receive, send)


def _notice_ready(send: Send) -> Send:
    async def noticing(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            ACTIVITY.mark_ready()
        await send(message)

    return noticing


def _name_engine_on_failure(send: Send) -> Send:
    # Whoever finds this engine broken must not kill the one that has already replaced it.
    async def naming(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 500:
            message["headers"] = [*message.get("headers", ()), (b"x-lexiq-nova-engine", str(os.getpid()).encode())]
        await send(message)

    return naming


async def _refuse(send: Send) -> None:
    headers: Final = [(b"x-lexiq-nova-engine", b"leaving"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse_for_now(send: Send) -> None:
    text: Final = f"the engine has {ACTIVITY.max_calls} calls already (LEXIQ_NOVA_MAX_CALLS)"
    body: Final = json.dumps(
        {"error": {"message": text, "type": "RateLimitError", "param": None, "code": 429}}
    ).encode()
    headers: Final = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(RETRY_SECONDS).encode()),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Keeper(threading.Thread):
    """
    Answers `status`, `wait`, `start`, `stop`, `give-way` and `kill PID` on the engine's control socket, and ends an
    engine that nobody needs.

    Args:
        folder: the engine's private directory.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(name="lexiq-nova-keeper", daemon=True)
        self.folder = folder
        self.used = True
        self.why = "nobody has called it for a while"
        self.users = os.open(folder / "users", os.O_RDWR | os.O_CREAT, 0o600)
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.control.bind(str(folder / "control"))
        self.control.listen(WAITING_CONNECTIONS)
        self.control.settimeout(LOOK_SECONDS)

    def run(self) -> None:
        while not self._nobody_needs_it():
            self._listen()
        # The path goes first, so that the next caller starts a successor instead of waiting for this engine.
        (self.folder / "socket").unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            description: Final = json.loads((self.folder / "engine.json").read_bytes())
            (self.folder / "ended.json").write_text(json.dumps({**description, "why": self.why}))
            (self.folder / "engine.json").unlink()
        os.kill(os.getpid(), signal.SIGTERM)
        killed_at: Final = time.monotonic() + STOP_SECONDS
        while time.monotonic() < killed_at:
            self._listen()
        os.killpg(0, signal.SIGKILL)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # nobody asked, or went away before the answer
            connection: Final = self.control.accept()[0]
            with connection:
                connection.settimeout(1.0)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request: Final = connection.recv(REQUEST_BYTES)
        if request == b"stop":
            (self.folder / "stopped").touch()  # whoever waits for it to load must not take that for a fault
            ACTIVITY.enter(State.LEAVING)
            self.why = "it was stopped"
        elif request == f"kill {os.getpid()}".encode():
            os.killpg(0, signal.SIGKILL)
        elif request == b"start":
            ACTIVITY.admit()
        elif request == b"wait":
            ACTIVITY.waited_at = time.monotonic()
        elif request == b"give-way" and (ACTIVITY.state.step >= State.READY.step or not self._is_waited_for()):
            ACTIVITY.give_way()
            if ACTIVITY.state.is_going:
                self.why = "it gave way to another model"
            if ACTIVITY.state is State.LEAVING:
                (self.folder / "gave-way").touch()  # a call that comes just now starts it anew
        status: Final = {
            "pid": os.getpid(),
            "state": ACTIVITY.state,
            "running": ACTIVITY.running,
            "wanted": ACTIVITY.wanted_since is not None,
            "idle": ACTIVITY.idle_seconds(),
            "uptime": time.monotonic() - ACTIVITY.began,
            **ACTIVITY.wishes,
            **ACTIVITY.needs,
        }
        connection.sendall(json.dumps(status).encode())

    def _nobody_needs_it(self) -> bool:
        has_users: Final = self._has_users()
        if self.used and not has_users:
            ACTIVITY.touch()  # the last user to leave starts the idle clock
        self.used = has_users
        if ACTIVITY.state.step < State.SLEEPING.step:
            if time.monotonic() - ACTIVITY.waited_at > FORGOTTEN_SECONDS:
                ACTIVITY.enter(State.LEAVING)
            return ACTIVITY.state is State.LEAVING
        # Callers that wait for a loading engine have no call running yet; at 0 the users alone decide.
        keep_alive: Final = ACTIVITY.wishes["keep_alive"]
        is_asleep_for_a_call: Final = ACTIVITY.state is State.SLEEPING and ACTIVITY.is_waited_for()
        waited_for: Final = has_users and (ACTIVITY.state is State.LOADING or keep_alive == 0 or is_asleep_for_a_call)
        if keep_alive >= 0 and not waited_for:
            ACTIVITY.leave_if_free(keep_alive)
        sleeper: Final = ACTIVITY.sleeper
        if ACTIVITY.state is State.DRAINING:
            # The path goes first, so that new callers wait for a place instead of being refused.
            with contextlib.suppress(FileNotFoundError):
                (self.folder / "socket").rename(self.folder / "asleep")
        if ACTIVITY.is_drained():
            if sleeper is None or not has_memory_for(ACTIVITY.needs) or not self._succeeds(sleeper.sleep()):
                ACTIVITY.enter(State.LEAVING)
            ACTIVITY.fall_asleep()
        elif sleeper is not None and sleeper.is_asleep and ACTIVITY.state is State.LOADING:
            self._wake(sleeper)
        return ACTIVITY.state is State.LEAVING

    def _wake(self, sleeper: Sleeper) -> None:
        if self._succeeds(sleeper.wake()):
            sleeper.is_asleep = False
            ACTIVITY.mark_ready()
            (self.folder / "asleep").rename(self.folder / "socket")
        else:
            ACTIVITY.enter(State.LEAVING)

    def _succeeds(self, act: "Future[None]") -> bool:
        """Whether vLLM does what it is asked to do; who asks the engine meanwhile is answered."""
        while not act.done():
            self._listen()
        error: Final = act.exception()
        if error is not None:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return error is None

    def _is_waited_for(self) -> bool:
        return ACTIVITY.is_waited_for() and self._has_users()

    def _has_users(self) -> bool:
        # Every process that uses the engine holds a shared lock, which the kernel gives back however it ends.
        try:
            fcntl.flock(self.users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self.users, fcntl.LOCK_UN)
        return False


def _end_with(parent: int) -> None:
    """Ends this process, a worker of vLLM's, once its parent is gone: SIGKILL leaves vLLM no time to stop it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="lexiq-nova-orphan-watch", daemon=True).start()


def _wait_for_a_place(shares: bool, arguments: Namespace | None = None) -> None:
    """
    Stops vLLM between reading its options and loading the model, until the engine has its place.

    A model or an option that cannot work is found here, before another engine has lost its place for it.

    Args:
        shares: whether the engine is to leave room for others.
        arguments: what vLLM's own parser made of the command line.
    """
    if arguments is not None:
        from vllm.engine.arg_utils import AsyncEngineArgs

        options: Final = AsyncEngineArgs.from_cli_args(arguments)
        model: Final = options.create_model_config()
        ACTIVITY.needs = {"needs": needs_of(arguments, options, model, shares), **sleep_of(arguments, model)}
    else:
        ACTIVITY.needs = {"needs": None}
    ACTIVITY.enter(State.WAITING)
    ACTIVITY.admitted.wait()


def _stop_before_loading(shares: bool) -> None:
    for name in PARSERS:
        try:
            parser = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        validate: Callable[[Namespace], None] = getattr(parser, VALIDATE)

        def validate_and_wait(arguments: Namespace, validate: Callable[[Namespace], None] = validate) -> None:
            validate(arguments)
            _wait_for_a_place(shares, arguments)

        setattr(parser, VALIDATE, validate_and_wait)
        return
    _wait_for_a_place(shares)


def main(folder: Path) -> None:
    """
    Runs vLLM's server until it is stopped.

    Args:
        folder: directory with `engine.json`: `args` for vLLM's command line, `wishes` (`keep_alive` in seconds,
            `priority`), `patience` in seconds, whether it has its place already (`admitted`) and leaves room for others
            (`shares`), and `max_calls`.

    Raises:
        ModuleNotFoundError: this interpreter has no vLLM.
    """
    os.umask(0o077)
    spec: Final = json.loads((folder / "engine.json").read_text())
    ACTIVITY.wishes.update(spec["wishes"])
    ACTIVITY.patience, ACTIVITY.max_calls = spec["patience"], spec["max_calls"]
    if spec["admitted"]:
        ACTIVITY.admit()
    keeper: Final = Keeper(folder)

    def in_worker() -> None:
        # A worker that kept the sockets would make a killed engine look alive.
        keeper.control.close()
        _end_with(os.getppid())

    os.register_at_fork(after_in_child=in_worker)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    keeper.start()
    sys.modules[MODULE] = sys.modules[__name__]
    sys.argv = ["vllm", *spec["args"], "--middleware", f"{MODULE}.CountCalls"]
    try:
        from vllm.entrypoints.launchers.api_server.entry import main as serve
    except ModuleNotFoundError as error:
        if error.name == "vllm":
            raise
        _stop_before_loading(spec["shares"])
        runpy.run_module("vllm.entrypoints.openai.api_server", run_name="__main__")  # where vLLM had it before 0.30
    else:
        _stop_before_loading(spec["shares"])
        serve()


# Importing vLLM makes a million objects that stay, in each of its processes. Python's default is to look for garbage
# after every 700 of them, which takes a fifth of the import.
gc.set_threshold(10_000)
# The directory of this file holds `engine`, `log`, `models`…: vLLM must not take them for installed packages.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
if __name__ == "__main__":
    main(Path(sys.argv[1]))
elif __name__ == "__mp_main__":  # a worker that vLLM spawned rather than forked
    _end_with(os.getppid())
