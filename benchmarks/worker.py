"""
Makes calls on command and says what they cost: `python -m benchmarks.worker BASE [DIRECTORY]`.

With DIRECTORY, that directory's packages come before the installed ones (upstream's own release, unpacked). Commands
are JSON lines on standard input; every answer is one JSON line: CPU seconds of the whole process, wall seconds, units.
"""

import asyncio
import faulthandler
import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

CHUNKS = 200
SHORT, LONG = 50, 10_000
AT_ONCE = 32
# Threads and tasks that a call leaves behind (logging, closing) are part of its price: wait until they are done.
PAUSE, IDLE = 0.005, 0.0005
# Seconds after which a turn says where it hangs: a synchronous stream of hosted_vllm can, when it is collected.
PATIENCE = 300


def settle() -> None:
    before = time.process_time()
    while True:
        time.sleep(PAUSE)
        now = time.process_time()
        if now - before < IDLE:
            return
        before = now


async def asettle() -> None:
    before = time.process_time()
    while True:
        await asyncio.sleep(PAUSE)
        now = time.process_time()
        if now - before < IDLE:
            return
        before = now


class Turn(NamedTuple):
    """What a contender is asked to do: how often, and how large each is (chunks, or what `benchmarks.scale` varies)."""

    contender: Any
    repeat: int
    size: int
    pool: ThreadPoolExecutor
    loop: asyncio.AbstractEventLoop


Task = Callable[[Turn], tuple[float, float, int]]
"""Makes a turn; returns the seconds of CPU and of wall time it took, and how many units it brought."""


def sync_task(call: Callable[[Turn], int]) -> Task:
    def run(turn: Turn) -> tuple[float, float, int]:
        settle()
        cpu, wall = time.process_time(), time.perf_counter()
        units = sum(call(turn) for _ in range(turn.repeat))
        wall = time.perf_counter() - wall
        settle()
        return time.process_time() - cpu, wall, units

    return run


def async_task(call: Callable[[Turn], Awaitable[int]]) -> Task:
    async def measure(turn: Turn) -> tuple[float, float, int]:
        await asettle()
        cpu, wall = time.process_time(), time.perf_counter()
        units = 0
        for _ in range(turn.repeat):
            units += await call(turn)
        wall = time.perf_counter() - wall
        await asettle()
        return time.process_time() - cpu, wall, units

    return lambda turn: turn.loop.run_until_complete(measure(turn))


async def together(calls: list[Any]) -> int:
    return sum(await asyncio.gather(*calls))


def memory(turn: Turn) -> tuple[float, float, int]:
    """Peak growth of what Python holds while a long stream is read; the reader keeps nothing. Bytes stand as CPU."""
    turn.loop.run_until_complete(turn.contender.astream(CHUNKS))
    settle()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    units = turn.loop.run_until_complete(turn.contender.astream(LONG))
    growth = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return growth, 0.0, units


TASKS: dict[str, Task] = {
    "sync call": sync_task(lambda turn: turn.contender.plain()),
    "async call": async_task(lambda turn: turn.contender.aplain()),
    "sync chunk": sync_task(lambda turn: turn.contender.stream(turn.size)),
    "async chunk": async_task(lambda turn: turn.contender.astream(turn.size)),
    "responses event": async_task(lambda turn: turn.contender.responses(turn.size)),
    "sync responses event": sync_task(lambda turn: turn.contender.sync_responses(turn.size)),
    "messages event": async_task(lambda turn: turn.contender.messages(turn.size)),
    "32 sync calls": sync_task(lambda turn: sum(turn.pool.map(lambda _: turn.contender.plain(), range(AT_ONCE)))),
    "32 async calls": async_task(lambda turn: together([turn.contender.aplain() for _ in range(AT_ONCE)])),
    "32 async streams": async_task(lambda turn: together([turn.contender.astream(turn.size) for _ in range(AT_ONCE)])),
    "embeddings": sync_task(lambda turn: turn.contender.embed()),
    "memory": memory,
    # Those of `benchmarks.scale`.
    "prompt": sync_task(lambda turn: turn.contender.plain("x" * turn.size)),
    "deployments": async_task(lambda turn: turn.contender.routed(turn.size)),
    "streams": async_task(lambda turn: together([turn.contender.astream(SHORT) for _ in range(turn.size)])),
}


def main(base: str, directory: str | None = None) -> None:
    if directory:
        sys.path.insert(0, directory)
    from benchmarks.contenders import CONTENDERS

    contenders: dict[str, Any] = {}
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    answers, sys.stdout = sys.stdout, sys.stderr
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for line in sys.stdin:
            command = json.loads(line)
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            name = command["contender"]
            if name not in contenders:
                contenders[name] = CONTENDERS[name](base)
            turn = Turn(contenders[name], command["repeat"], command.get("size", CHUNKS), pool, loop)
            cpu, wall, units = TASKS[command["task"]](turn)
            if command.get("freeze"):
                # What importing and warming up made is never looked at by a garbage collection again: a full one costs
                # more than a hundred calls, and would hit whoever's turn it is.
                gc.collect()
                gc.freeze()
            faulthandler.cancel_dump_traceback_later()
            print(json.dumps({"cpu": cpu, "wall": wall, "units": units}), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
