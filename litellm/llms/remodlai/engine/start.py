"""
How an engine gets up: one of its callers starts it, the others wait; before it loads, another may have to leave.

Callers agree without a daemon: locked files say who starts an engine, who uses it and who is next.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from litellm.llms.remodlai.engine import settings
from litellm.llms.remodlai.engine.check import cannot_be_served
from litellm.llms.remodlai.engine.end import why_it_ended
from litellm.llms.remodlai.engine.engine import Engine, folders, model_in
from litellm.llms.remodlai.engine.environment import decisive, passed_on
from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.engine.options import SEVERAL_MACHINES, option_name
from litellm.llms.remodlai.engine.progress import Progress, tell_its_end
from litellm.llms.remodlai.engine.room import Room, is_deciding
from litellm.llms.remodlai.engine.runtime import (
    POLL_SECONDS,
    Pauses,
    ask,
    disk_errors,
    exclusive,
    listens,
    runtime_directory,
    write,
)
from litellm.llms.remodlai.engine.states import State, state_in
from litellm.llms.remodlai.engine.turn import Turn
from litellm.llms.remodlai.errors import LexiqNovaError

SERVER: Final = Path(__file__).with_name("server.py")
# A process that holds on to an engine's directory this long without serving will not get better.
STUCK_SECONDS: Final = 60.0
# Calls that come this soon after a failed start get its error; a later one tries again.
REMEMBERED_SECONDS: Final = 10.0

_CHILDREN: Final[list[subprocess.Popen[bytes]]] = []


@dataclass(frozen=True)
class Start:
    """
    One caller's wish that an engine be up.

    Args:
        engine: the engine.
        hear: is told each line about the start.
    """

    engine: Engine
    hear: Callable[[str], None] | None = None

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
        began: Final = time.time()
        with disk_errors(self.engine.folder):
            if not self.engine.folder.exists():
                self._raise_if_it_is_not_here()  # of what was never started, nothing is left
            self.engine.folder.mkdir(mode=0o700, exist_ok=True)
            try:
                with Progress(self.engine, self.hear) as progress:
                    yield from self._until_it_listens(began, broken, progress)
            except LexiqNovaError:
                self.engine.disuse()
                raise
        self.engine.use()

    def _until_it_listens(self, began: float, broken: int | None, progress: Progress) -> Pauses:
        while not (broken is None and listens(self.engine.socket)):
            self.engine.use()
            starting = exclusive(self.engine.folder / "starting")
            if starting is not None:
                with starting:
                    yield from self._start(began, broken, progress)
                return
            progress.show()
            yield POLL_SECONDS

    def _start(self, began: float, broken: int | None, progress: Progress) -> Pauses:
        if broken is not None:
            yield from self._kill(broken)
        self._raise_if_failed(since=began)
        with Turn(runtime_directory() / "queue") as turn:
            yield from self._load(turn, progress)

    def _load(self, turn: Turn, progress: Progress) -> Pauses:
        seen_loading = False  # rebind-ok: true once an engine was seen that loads
        child: subprocess.Popen[bytes] | None = None  # rebind-ok: the engine, once this call has started one
        waiting_since = time.monotonic()  # rebind-ok: begins anew with each sign of life
        while not listens(self.engine.socket):
            self.engine.use()
            alive = exclusive(self.engine.folder / "alive")
            if alive is None:
                # Somebody's engine is loading if its keeper answers; one on its way out says that it is leaving. Of one
                # that was killed, workers are left for a moment, and a socket at which nobody answers.
                status = yield from ask(self.engine.folder, "wait")
                state = state_in(status) if status else None
                seen_loading |= state is not None and not state.is_going
                if status == {} or status and status["running"]:
                    waiting_since = time.monotonic()
                if not seen_loading and time.monotonic() - waiting_since > STUCK_SECONDS:
                    raise failure(
                        f"the previous engine of {self.engine.model} does not end; see {self.engine.log}", 500
                    )
                if state in (State.WAITING, State.SLEEPING):
                    yield from self._take_place(turn, progress)
                elif state is not None and state.has_place:
                    turn.give_up()
            elif seen_loading and not (self.engine.folder / "gave-way").exists():
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

    def _spawn_with_place(self, alive: IO[bytes], turn: Turn) -> Generator[float, None, subprocess.Popen[bytes]]:
        # Where there is room, the load goes on when nobody waits for it any more.
        turn.take()
        room: Final = yield from self._place(turn, {})
        with room or contextlib.nullcontext():
            child: Final = self._spawn(alive, admitted=room is not None)
            while child.poll() is None and not listens(self.engine.folder / "control"):
                yield POLL_SECONDS  # until it counts as an engine for whoever makes room next
        return child

    def _take_place(self, turn: Turn, progress: Progress) -> Pauses:
        """
        Waits, in the order of arrival, until another engine may load, and lets this one; it has been checked.

        Engines that are free leave for it, least recently used first; if none is, a busy one takes no more calls after
        a while.
        """
        silent_since: Final[dict[Path, float]] = {}
        turn.take()
        while (status := (yield from ask(self.engine.folder, "wait"))) is not None:
            room = yield from self._place(turn, status, silent_since)
            if room is not None:
                with room:
                    yield from ask(self.engine.folder, "start")
                return
            others = yield from self._others()
            progress.show(f"waiting for {', '.join(map(model_in, others)) or 'a place'} to finish")
            yield POLL_SECONDS

    def _place(
        self, turn: Turn, status: Mapping[str, Any], silent_since: dict[Path, float] | None = None
    ) -> Generator[float, None, IO[bytes] | None]:
        """
        Finds out whether another engine may load now.

        Args:
            turn: of this engine.
            status: what this engine says of itself; empty where it has not been started.
            silent_since: given if an engine shall be asked to leave where there is no room.

        Returns:
            A lock if it may; nobody else gets the place until it is closed.
        """
        room: Final = exclusive(runtime_directory() / "room") if turn.has_come() else None
        if room is None:
            return None
        mine: Final = Room(settings.max_engines(), status)
        with contextlib.ExitStack() as stack:
            stack.enter_context(room)
            others: Final = yield from self._others()
            if mine.holds(others.values()):
                stack.pop_all()
                return room
            if silent_since is not None:
                yield from _make_room(others, mine, silent_since)
        return None

    def _others(self) -> Generator[float, None, dict[Path, dict[str, Any]]]:
        """What the other engines that have a place say of themselves, by directory; nothing if one did not answer."""
        others: Final = {}
        for folder in folders():
            if folder != self.engine.folder:
                status = yield from ask(folder, "status")
                if status is not None and state_in(status).has_place:
                    others[folder] = status
        return others

    def _spawn(self, alive: IO[bytes], admitted: bool) -> subprocess.Popen[bytes]:
        _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
        for path in self.engine.folder.iterdir():
            if path.name not in ("starting", "alive", "users"):
                path.unlink()
        description: Final = {
            "model": self.engine.model,
            "tokens": self.engine.tokens,
            "python": self.engine.python,
            "environment": dict(self.engine.environment),
            "wishes": {"keep_alive": settings.keep_alive(), "priority": 0, **self.engine.wishes.said()},
            "admitted": admitted,
            "shares": settings.max_engines() != 1,
            "max_calls": settings.max_calls(),
            "patience": settings.patience(),
            "args": [
                "--model",
                self.engine.model,
                *self.engine.tokens,
                "--uds",
                str(self.engine.socket),
                "--disable-uvicorn-access-log",
            ],
        }
        write(self.engine.folder / "engine.json", json.dumps(description).encode())
        with open(os.open(self.engine.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            try:
                child: Final = subprocess.Popen(
                    [self.engine.python, str(SERVER), str(self.engine.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environment(),
                    start_new_session=True,  # Ctrl-C in the caller's terminal is not meant for the engine
                    pass_fds=[alive.fileno()],  # locked before the engine exists, given back when it is gone
                )
            except OSError as error:
                raise failure(
                    f"{self.engine.python} cannot be run: {error.strerror} (LEXIQ_NOVA_PYTHON)", 400
                ) from error
        _CHILDREN.append(child)
        tell_its_end(self.engine, child)
        return child

    def _environment(self) -> dict[str, str]:
        own: Final = {
            "VLLM_SKIP_MODEL_NAME_VALIDATION": "1",  # the socket stands for the model, however its path is spelt
            "VLLM_RPC_BASE_PATH": str(self.engine.folder),
            "VLLM_NO_USAGE_STATS": "1",
            # A connection that a client keeps must not be closed just as it sends the next call.
            "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "3600",
        }
        names: Final = {option_name(token) for token in self.engine.tokens}
        if not SEVERAL_MACHINES & names and not any(token.endswith("ray") for token in self.engine.tokens):
            own["VLLM_HOST_IP"] = "127.0.0.1"
            if sys.platform == "linux":
                own["GLOO_SOCKET_IFNAME"] = "lo"
        known_by: Final = decisive(os.environ)
        given: Final = passed_on({name: value for name, value in os.environ.items() if name not in known_by})
        return {**own, **given, **dict(self.engine.environment), "VLLM_SKIP_MODEL_NAME_VALIDATION": "1"}

    def _kill(self, pid: int) -> Pauses:
        # The engine ends itself: in another PID namespace its number may be a stranger's here.
        while True:
            status = yield from ask(self.engine.folder, f"kill {pid}")
            if status is None or status.get("pid", pid) != pid:
                return
            yield POLL_SECONDS

    def _fail(self, code: int | None) -> None:
        stopped: Final = (self.engine.folder / "stopped").exists()
        reason, status_code = ("", 503) if stopped else why_it_ended(self.engine.log, code)
        what: Final = (
            "was stopped while it was loading" if stopped else f"did not start: {reason} (full log: {self.engine.log})"
        )
        text: Final = f"the engine for {self.engine.model} {what}"
        record: Final = {"at": time.time(), "is_fault": not stopped, "message": text, "status_code": status_code}
        write(self.engine.folder / "failed", json.dumps(record).encode())
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
        why_not: Final = cannot_be_served(self.engine.model, self.engine.tokens, self._environment())
        if why_not is not None:
            raise failure(*why_not)

    def _raise_if_failed(self, since: float) -> None:
        """Calls that wait for the same start, and those that come soon after, share its failure."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            record: Final = json.loads((self.engine.folder / "failed").read_bytes())
            if record["at"] >= since - (REMEMBERED_SECONDS if record["is_fault"] else 0.0):
                raise failure(record["message"], record["status_code"])


def _make_room(others: Mapping[Path, Mapping[str, Any]], room: Room, silent_since: dict[Path, float]) -> Pauses:
    """
    Asks one engine to give its place away, unless enough are leaving, or may be: of those in the way that have the
    lowest priority the one that has been idle longest; if all are busy, the one that was asked before, or the oldest.
    """
    now: Final = time.monotonic()
    for folder in others:
        if others[folder]:
            silent_since.pop(folder, None)
        elif now - silent_since.setdefault(folder, now) < STUCK_SECONDS:
            return  # too busy to answer, perhaps with leaving: it is asked again before another loses its place
    going: Final = [status for status in others.values() if state_in(status).is_going]
    staying: Final = {folder: status for folder, status in others.items() if not state_in(status).is_going}
    rivals: Final = room.rivals(staying.values())
    if room.limit is None and any(map(is_deciding, rivals)):
        return
    if rivals and not room.holds(rivals, leaving=going):
        rival: Final = [folder for folder, status in staying.items() if status in rivals]
        yield from ask(max(rival, key=lambda folder: _readiness(staying[folder])), "give-way")


def _readiness(status: Mapping[str, Any]) -> tuple[float, ...]:
    """How soon an engine is to give its place away, of all that could."""
    return -status.get("priority", 0.0), *(status.get(field, 0.0) for field in ("idle", "wanted", "uptime"))
