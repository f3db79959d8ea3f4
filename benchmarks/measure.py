"""
Runs the tasks: one server, workers that take turns, medians.

Contenders that share packages share a process. `hosted_vllm` is measured twice: in upstream's own release (what a user
of LiteLLM has today) and in this fork, whose shared edits make it faster too.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
UPSTREAM = "hosted_vllm (upstream)"
# How often a task is repeated per turn, so that a turn takes some ten milliseconds.
REPEAT = {
    "sync call": 20,
    "async call": 20,
    "sync chunk": 1,
    "async chunk": 1,
    "responses event": 1,
    "sync responses event": 1,
    "messages event": 1,
    "32 sync calls": 1,
    "32 async calls": 1,
    "32 async streams": 1,
    "embeddings": 1,
}
# Who has no such call.
WITHOUT = {
    "responses event": {"any-llm"},
    "sync responses event": {"any-llm"},
    "messages event": {"httpx", "openai", "any-llm"},
}
# In seconds of CPU per unit, but for these in units per second of wall time.
RATES = ("32 sync calls", "32 async calls", "32 async streams")


class Worker:
    """A process of `benchmarks.worker`, under another program where one is given (a profiler's command)."""

    def __init__(self, base: str, directory: Path | None = None, under: Sequence[str] = ()) -> None:
        command = [*under, sys.executable, "-m", "benchmarks.worker", base, *([str(directory)] if directory else [])]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )

    def run(self, contender: str, task: str, repeat: int, **more: Any) -> dict[str, float]:
        assert self.process.stdin and self.process.stdout
        command = {"contender": contender, "task": task, "repeat": repeat, **more}
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        # A program that the worker runs under may say something, too.
        while (answer := self.process.stdout.readline()) and not answer.startswith("{"):
            continue
        if not answer:
            raise SystemExit(f"the worker died at {contender}, {task}")
        return json.loads(answer)

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def environment() -> dict[str, str]:
    import os

    return {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "PYTHONUNBUFFERED": "1"}


@contextmanager
def server() -> Iterator[str]:
    """Starts the server in a process of its own; yields its base."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.server"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()


@contextmanager
def workers(base: str, upstream: Path | None) -> Iterator[dict[str, tuple[Worker, str]]]:
    """Yields who makes the calls of each contender: a worker, and the contender's name there."""
    fork = Worker(base)
    started = [fork]
    who = {name: (fork, name) for name in ("httpx", "openai", "any-llm", "hosted_vllm", "remodlai")}
    if upstream:
        started.append(Worker(base, upstream))
        who[UPSTREAM] = (started[1], "hosted_vllm")
    try:
        yield who
    finally:
        for worker in started:
            worker.stop()


def order(names: Sequence[str], turn: int) -> list[str]:
    """
    Who comes when in a turn. Each is first as often as the others, and as often before as behind each other one: who
    follows one of the same process finds its caches warm.
    """
    first = turn // 2 % len(names)
    turned = [*names[first:], *names[:first]]
    return turned[::-1] if turn % 2 else turned


def value(task: str, answer: dict[str, float]) -> float:
    return answer["units"] / answer["wall"] if task in RATES else answer["cpu"] / answer["units"]


def run(base: str, upstream: Path | None, rounds: int, tasks: list[str]) -> dict[str, dict[str, list[float]]]:
    """
    Args:
        base: base of the server.
        upstream: directory with upstream's release, or None to leave it out.
        rounds: turns of each contender at each task.
        tasks: names of tasks in `benchmarks.worker`.

    Returns:
        Every measured value by task and contender.
    """
    results: dict[str, dict[str, list[float]]] = {}
    with workers(base, upstream) as who:
        for name, (worker, contender) in who.items():
            own = [task for task in tasks if name not in WITHOUT.get(task, ())]
            for task in own:
                worker.run(contender, task, 2 * REPEAT[task])
            if own:
                worker.run(contender, own[0], 1, freeze=True)
            print(f"ready: {name}", file=sys.stderr)
        for task in tasks:
            names = [name for name in who if name not in WITHOUT.get(task, ())]
            values = results[task] = {name: [] for name in names}
            for turn in range(rounds):
                for name in order(names, turn):
                    worker, contender = who[name]
                    values[name].append(value(task, worker.run(contender, task, REPEAT[task])))
            print(f"measured: {task}", file=sys.stderr)
    results["memory"] = memory(base, upstream)
    return results


def memory(base: str, upstream: Path | None) -> dict[str, list[float]]:
    """Peak growth in bytes of one long stream; each contender in a new process."""
    results = {}
    places = {"openai": None, "hosted_vllm": None, "remodlai": None, **({UPSTREAM: upstream} if upstream else {})}
    for name, directory in places.items():
        worker = Worker(base, directory)
        results[name] = [worker.run("hosted_vllm" if name == UPSTREAM else name, "memory", 1)["cpu"]]
        worker.stop()
    return results


def medians(results: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    return {task: {name: statistics.median(all_) for name, all_ in values.items()} for task, values in results.items()}
