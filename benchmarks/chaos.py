"""
Mixed calls to three local models while callers, engines and their workers are killed at random: every call is answered
or refused clearly, and nothing is left running.

Run as `PYTHONPATH=tests python -m benchmarks.chaos [--calls 200] [--seed N] [--stand-in]`. Each caller is a process
that makes a few calls, synchronous or not; one that is killed takes its own call with it, the others of its share are
made by the next. The keeper is a thread of the engine's first process: whoever kills that one kills it. With
`--stand-in`, a server without a model stands where vLLM would.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai

import litellm
from litellm.llms.remodlai.__main__ import main as command
from litellm.llms.remodlai.engine.engine import running_engines
from litellm.llms.remodlai.engine.runtime import ask, runtime_directory, wait

STAND_IN = Path(__file__).parents[1] / "tests/test_litellm/llms/remodlai/completion/fake_vllm.py"
CALLERS = 4
SHARE = 8
REASON = 240
TIMEOUT = 120.0
# What a call may take beside its timeout.
GRACE = 30.0
# Between two kills; vLLM takes half a minute to start.
PAUSES = (20.0, 60.0)
PAUSES_OF_STAND_IN = (0.5, 3.0)
ENDED_SECONDS = 20.0
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "chat": ("completion", "chat", {"messages": [{"role": "user", "content": "Count."}], "max_tokens": 8}),
    "stream": (
        "completion",
        "chat",
        {"messages": [{"role": "user", "content": "Count."}], "max_tokens": 8, "stream": True},
    ),
    "text": ("text_completion", "chat", {"prompt": "One, two", "max_tokens": 8}),
    "embed": ("embedding", "embed", {"input": ["Paris", "a cat"]}),
    "rerank": ("rerank", "rerank", {"query": "capital", "documents": ["Paris", "a cat"]}),
}
KILLS = ("engine", "first process", "worker", "caller", "stop")


async def awaited(function: str, call: dict[str, Any]) -> None:
    answer = await getattr(litellm, f"a{function}")(**call)
    if call.get("stream"):
        assert [chunk async for chunk in answer]


def made(kind: str, is_async: bool, models: dict[str, str]) -> str:
    """Makes a call; returns how it ended, in words that begin with `answered`, `refused` or `unclear`."""
    function, model, arguments = KINDS[kind]
    call = {**arguments, "model": f"lexiq_nova/{models[model]}", "timeout": TIMEOUT, "num_retries": 0}
    try:
        if is_async:
            asyncio.run(awaited(function, call))
        else:
            answer = getattr(litellm, function)(**call)
            assert not call.get("stream") or list(answer)
    except openai.OpenAIError as error:
        text = f"{type(error).__name__}: {str(error).strip()}"
        return f"refused {text}" if len(str(error)) > len("Connection error.") else f"unclear {text}"
    except Exception as error:  # noqa: BLE001  # what it is, is the result
        return f"unclear {type(error).__name__}: {error}"
    return "answered"


def calls_of(seed: int, numbers: list[int], models: dict[str, str]) -> None:
    """What a caller does: its share of the calls, one line of JSON before each and one after."""
    for number in numbers:
        chance = random.Random(f"{seed}/{number}")
        kind, is_async = chance.choice(list(KINDS)), chance.random() < 0.5
        sys.stdout.write(json.dumps({"call": number}) + "\n")
        sys.stdout.flush()
        began = time.monotonic()
        outcome = made(kind, is_async, models)
        seconds = time.monotonic() - began
        if seconds > TIMEOUT + GRACE:
            outcome = f"unclear: it took {seconds:.0f} s"
        sys.stdout.write(json.dumps({"call": number, "kind": kind, "outcome": outcome, "seconds": seconds}) + "\n")
        sys.stdout.flush()


class Chaos:
    """
    One run.

    Args:
        seed: of what is called and killed.
        calls: how many.
        models: directories by task.
        pauses: least and most seconds between two kills.
    """

    def __init__(self, seed: int, calls: int, models: dict[str, str], pauses: tuple[float, float]) -> None:
        self.seed = seed
        self.pauses = pauses
        self.models = models
        self.left = list(range(calls))
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.callers: set[subprocess.Popen[str]] = set()
        self.outcomes: dict[int, str] = {}
        self.slowest = 0.0
        self.kills: Counter[str] = Counter()

    def run(self) -> None:
        killer = threading.Thread(target=self._kill_at_random)
        killer.start()
        runners = [threading.Thread(target=self._run_callers) for _ in range(CALLERS)]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join()
        self.over.set()
        killer.join()

    def _run_callers(self) -> None:
        while True:
            with self.lock:
                share, self.left = self.left[:SHARE], self.left[SHARE:]
            if not share:
                return
            arguments = ["--caller", json.dumps([self.seed, share, self.models])]
            caller = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.chaos", *arguments], stdout=subprocess.PIPE, text=True
            )
            with self.lock:
                self.callers.add(caller)
            self._read(caller, share)

    def _read(self, caller: "subprocess.Popen[str]", share: list[int]) -> None:
        assert caller.stdout is not None
        for line in caller.stdout:
            with contextlib.suppress(ValueError), self.lock:  # a line that was cut off with its writer
                said = json.loads(line)
                self.outcomes[said["call"]] = said.get("outcome", "lost with its caller")
                self.slowest = max(self.slowest, said.get("seconds", 0.0))
        code = caller.wait()
        with self.lock:
            self.callers.discard(caller)
            unmade = [number for number in share if number not in self.outcomes]
            if code not in (0, -signal.SIGKILL):
                self.outcomes.update(dict.fromkeys(unmade, f"unclear: a caller ended with {code}"))
            else:
                self.left += unmade

    def _kill_at_random(self) -> None:
        chance = random.Random(self.seed)
        while not self.over.wait(chance.uniform(*self.pauses)):
            what = chance.choice(KILLS)
            if what == "caller":
                with self.lock:
                    victims = sorted(self.callers, key=lambda caller: caller.pid)
                    if victims:
                        chance.choice(victims).kill()
                        self.kills[what] += 1
            elif engines := running_engines():
                engine = chance.choice(engines)
                if what == "stop":
                    wait(ask(engine.folder, "stop"))
                    self.kills[what] += 1
                elif (status := wait(ask(engine.folder, "status"))) and _kill(what, status["pid"], chance):
                    self.kills[what] += 1


def _kill(what: str, first: int, chance: random.Random) -> bool:
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        if what == "engine":
            os.killpg(first, signal.SIGKILL)
            return True
        if what == "first process":
            os.kill(first, signal.SIGKILL)
            return True
        workers = [pid for pid, group in _processes() if group == first != pid]
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
            return True
    return False


def _processes() -> Iterator[tuple[int, int]]:
    """The processes that run, with their groups."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if state != "Z":
                yield int(entry.name), int(group)


def _of_this_run(folder: str) -> list[int]:
    """Processes other than this one that were started in a runtime directory."""
    found = []
    for pid, _ in _processes():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and f"XDG_RUNTIME_DIR={folder}".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
    return found


def _is_true_within(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def models_of(folder: Path, stand_in: bool) -> dict[str, str]:
    if not stand_in:
        from support.models import model_dir

        names = {"chat": "tiny-chat", "embed": "minilm", "rerank": "cross-encoder"}
        return {task: str(model_dir(name)) for task, name in names.items()}
    tasks = ("chat", "embed", "rerank")
    return dict(zip(tasks, stand_ins(folder, [f"forking-{task}" for task in tasks]), strict=True))


def stand_ins(folder: Path, names: list[str]) -> list[str]:
    """Lets a server without a model stand where vLLM would, for this process's engines; returns its models."""
    runpy.run_path(str(STAND_IN))["install"](folder / "site")
    sys.path.insert(0, str(folder / "site"))  # a call looks here first whether vLLM is installed
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ["LEXIQ_NOVA_PYTHON"] = sys.executable
    for name in names:
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}")
    return [str(folder / name) for name in names]


def chaos(calls: int, seed: int, stand_in: bool) -> int:
    """
    Makes a run and says what came of it.

    Returns:
        0 if every call was answered or refused clearly and nothing is left.
    """
    say(f"seed {seed}, {calls} calls, {'the stand-in' if stand_in else 'vLLM'}")
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        # One place less than models: they take turns.
        os.environ.update({"LEXIQ_NOVA_MAX_ENGINES": "2", "LEXIQ_NOVA_PATIENCE": "1", "LEXIQ_NOVA_QUIET": "1"})
        run = Chaos(seed, calls, models_of(Path(folder), stand_in), PAUSES_OF_STAND_IN if stand_in else PAUSES)
        began = time.monotonic()
        run.run()
        seconds = time.monotonic() - began
        command(["stop"])
        is_clear = _is_true_within(lambda: not _of_this_run(folder), ENDED_SECONDS)
        left = _of_this_run(folder)
        waiting = [path.name for path in (runtime_directory() / "queue").glob("*")]
    by_outcome = Counter(outcome.partition(" ")[0] for outcome in run.outcomes.values())
    reasons = (re.sub(r"/tmp/\S+|[\d.]+ of [\d.]+ GiB", "…", outcome)[:REASON] for outcome in run.outcomes.values())
    for reason, number in Counter(reasons).most_common():
        say(f"{number:5d}  {reason}")
    say(f"killed: {', '.join(f'{number} {what}' for what, number in sorted(run.kills.items())) or 'nothing'}")
    say(f"{len(run.outcomes)} of {calls} calls in {seconds:.0f} s, the slowest {run.slowest:.0f} s")
    say(f"left running: {left or 'nothing'}; left waiting: {waiting or 'nothing'}")
    is_fine = is_clear and len(run.outcomes) == calls and not by_outcome["unclear"] and not by_outcome["unclear:"]
    return int(not is_fine)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--stand-in", action="store_true")
    parser.add_argument("--caller", help=argparse.SUPPRESS)
    parsed = parser.parse_args(arguments)
    if parsed.caller:
        calls_of(*json.loads(parsed.caller))
        return 0
    return chaos(parsed.calls, parsed.seed, parsed.stand_in)


if __name__ == "__main__":
    sys.exit(main())
