"""
The engines that run: `ps`, `preload`, `stop`, `logs`.
"""

import shlex
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from litellm.llms.remodlai.command.naming import engines_of, model_named
from litellm.llms.remodlai.command.screen import complain, say, say_json, say_table, size, without_controls
from litellm.llms.remodlai.engine import permits, settings
from litellm.llms.remodlai.engine.engine import Engine, engines, running_engines
from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.engine.memory import processes
from litellm.llms.remodlai.engine.runtime import POLL_SECONDS, ask, listens, wait
from litellm.llms.remodlai.engine.start import Start
from litellm.llms.remodlai.engine.states import State, state_in
from litellm.llms.remodlai.keys import words_shown
from litellm.llms.remodlai.places import has_server

MIB: Final = 2**20
SECONDS_PER_MINUTE: Final = 60
ASK_SECONDS: Final = 10.0
# An engine that was asked to stop kills itself after 15 s; one that is still there after this does not run at all.
STOP_SECONDS: Final = 30.0
FOLLOW_SECONDS: Final = 0.2
COPY_CHARACTERS: Final = 2**16
HEADS: Final = ("MODEL", "PID", "STATE", "REQUESTS", "MEMORY", "GPU", "UNTIL", "OPTIONS")


@dataclass(frozen=True)
class Seen:
    """
    A running engine as `ps` shows it, and `ps --json` by these names.

    Args:
        model: directory or model id.
        options: its vLLM options, as a command line; values that are secret are asterisks.
        state: one of `states.State`, or `silent` where it does not answer.
        pid: of its first process.
        requests: calls that it is answering.
        uptime_seconds: since its start.
        until_seconds: after how long without another call it ends; None while it is answering, if it stays, and if it
            ends with its last user.
        keep_alive_seconds: as its latest caller wishes.
        memory_bytes: resident, of all its processes; None where the system does not tell.
        gpu_memory_bytes: None where no NVIDIA GPU is used.
    """

    model: str
    options: str
    state: str
    pid: int | None = None
    requests: int | None = None
    uptime_seconds: float | None = None
    until_seconds: float | None = None
    keep_alive_seconds: float | None = None
    memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None

    @property
    def until(self) -> str:
        if self.requests:
            return "in use"
        if self.until_seconds is not None:
            return _duration(self.until_seconds)
        if self.keep_alive_seconds is None:
            return "-"
        return "its last user ends" if self.keep_alive_seconds == 0 else "stopped"

    @property
    def row(self) -> list[str]:
        numbers: Final = ["-" if value is None else str(value) for value in (self.pid, self.requests)]
        memory, gpu = size(self.memory_bytes), size(self.gpu_memory_bytes)
        return [self.model, numbers[0], self.state, numbers[1], memory, gpu, self.until, self.options or "-"]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), SECONDS_PER_MINUTE)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _by_group() -> dict[int, tuple[int, list[int]]]:
    """Resident memory and processes of each process group: those of an engine are one."""
    memory: Final[defaultdict[int, int]] = defaultdict(int)
    members: Final[defaultdict[int, list[int]]] = defaultdict(list)
    for process in processes():
        memory[process.group] += process.resident_bytes
        members[process.group].append(process.pid)
    return {group: (memory[group], members[group]) for group in members}


def _gpu_memory() -> dict[int, int]:
    """GPU memory of each process that has some."""
    command: Final = shutil.which("nvidia-smi")
    if command is None:
        return {}
    query: Final = [command, "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    try:
        done: Final = subprocess.run(query, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    used: Final[defaultdict[int, int]] = defaultdict(int)
    for line in done.stdout.splitlines():
        pid, _, mebibytes = line.partition(",")
        if pid.strip().isdigit() and mebibytes.strip().isdigit():
            used[int(pid)] += int(mebibytes) * MIB
    return dict(used)


def _options(engine: Engine) -> str:
    return shlex.join(map(str, words_shown(engine.tokens)))


def seen_engines() -> list[Seen]:
    """Returns the engines of this user that are up."""
    groups, on_gpus = _by_group(), _gpu_memory()
    found: Final = []
    for engine in running_engines():
        status = wait(ask(engine.folder, "status"))
        if status is None:
            continue
        if not status:
            found.append(Seen(engine.model, _options(engine), "silent"))
            continue
        memory, members = groups.get(status["pid"], (None, []))
        on_gpu = [on_gpus[pid] for pid in members if pid in on_gpus]
        keep_alive, state = status.get("keep_alive"), state_in(status)
        ends = keep_alive is not None and keep_alive > 0 and state is State.READY and not status["running"]
        found.append(
            Seen(
                model=engine.model,
                options=_options(engine),
                state=state.value,
                pid=status["pid"],
                requests=status["running"],
                uptime_seconds=round(status["uptime"], 1),
                until_seconds=round(max(0.0, keep_alive - status["idle"]), 1) if ends and keep_alive else None,
                keep_alive_seconds=keep_alive,
                memory_bytes=memory,
                gpu_memory_bytes=sum(on_gpu) if on_gpu else None,
            )
        )
    return found


def ps(as_json: bool = False) -> int:
    """Shows the engines that are up."""
    found: Final = seen_engines()
    if as_json:
        say_json({"engines": [asdict(each) for each in found]})
    else:
        say_table(HEADS, [each.row for each in found])
    return 0


def preload(models: Sequence[str], engine_args: str | None, as_json: bool = False) -> int:
    """
    Starts the engines of some models, one after the other, and waits until each is ready.

    Raises:
        LexiqNovaError: one cannot be started.
    """
    if has_server("lexiq_nova"):
        raise failure("LEXIQ_NOVA_API_BASE names a server: calls go there, and no engine is started", 400)
    wanted: Final = [Engine.of(model_named(model), engine_args) for model in models]
    for engine in wanted:
        stays = settings.keep_alive() if engine.wishes.keep_alive is None else engine.wishes.keep_alive
        if stays == 0:
            raise failure("keep_alive 0 ends an engine with its last user, and this command ends when it is ready", 400)
        permits.require(engine)
        Start(engine).raise_if_it_cannot_start()
    loaded: Final[list[dict[str, object]]] = []
    for engine in wanted:
        began = time.monotonic()
        wait(Start(engine).ensure())
        loaded.append({"model": engine.model, "seconds": round(time.monotonic() - began, 1)})
    gone: Final = [engine.model for engine in wanted if not listens(engine.socket)]
    for each in loaded:
        each["state"] = "gone" if each["model"] in gone else State.READY.value
    if as_json:
        say_json({"engines": loaded})
    else:
        for each in loaded:
            say(f"{each['model']}: {each['state']} after {each['seconds']} s")
    if gone:
        complain(f"{', '.join(gone)} had to make room for another model again")
    return int(bool(gone))


def stop(model: str | None, as_json: bool = False) -> int:
    """Stops the engines of a model, or all; calls that are running end with an error."""
    running: Final = running_engines()
    found: Final = running if model is None else engines_of(running, model)
    for engine in found:
        wait(ask(engine.folder, "stop"))
    deadline: Final = time.monotonic() + STOP_SECONDS
    left = list(found)  # rebind-ok: fewer from look to look
    while left and time.monotonic() < deadline:
        left = [engine for engine in left if wait(ask(engine.folder, "status")) is not None]
        time.sleep(POLL_SECONDS if left else 0)
    stopped: Final = [engine.model for engine in found if engine not in left]
    if as_json:
        say_json({"stopped": stopped, "left": [engine.model for engine in left]})
    else:
        for name in stopped:
            say(f"stopped {name}")
    for engine in left:
        complain(f"the engine of {engine.model} does not end, see {engine.log}")
    if not found and model is not None:
        complain(f"no engine of {model} is running")
    return int(bool(left) or not found and model is not None)


def logs(model: str, follow: bool = False) -> int:
    """Writes the log of the last engine of a model; if it is followed, until that engine ends."""
    found: Final = engines_of([engine for engine in engines() if engine.log.exists()], model)
    if not found:
        complain(f"there is no log of {model}")
        return 1
    newest: Final = max(found, key=lambda engine: engine.log.stat().st_mtime)
    with newest.log.open(errors="replace", newline="") as lines:
        while True:
            is_up = follow and listens(newest.folder / "control")
            while text := lines.read(COPY_CHARACTERS):
                _copy(text)
            if not is_up:
                return 0
            time.sleep(FOLLOW_SECONDS)


def _copy(text: str) -> None:
    # What a client sends may stand in a log.
    sys.stdout.write(without_controls(text, "\n\r\t") if sys.stdout.isatty() else text)
    sys.stdout.flush()
