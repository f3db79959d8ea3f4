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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

CHUNKS = 200
LONG = 10_000
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


def sync_task(call: Callable[[Any, ThreadPoolExecutor], int]) -> Callable[..., tuple[float, float, int]]:
    def run(contender: Any, repeat: int, pool: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> Any:
        settle()
        cpu, wall = time.process_time(), time.perf_counter()
        units = sum(call(contender, pool) for _ in range(repeat))
        wall = time.perf_counter() - wall
        settle()
        return time.process_time() - cpu, wall, units

    return run


def async_task(call: Callable[[Any], Any]) -> Callable[..., tuple[float, float, int]]:
    async def measure(contender: Any, repeat: int) -> tuple[float, float, int]:
        await asettle()
        cpu, wall = time.process_time(), time.perf_counter()
        units = 0
        for _ in range(repeat):
            units += await call(contender)
        wall = time.perf_counter() - wall
        await asettle()
        return time.process_time() - cpu, wall, units

    def run(contender: Any, repeat: int, pool: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> Any:
        return loop.run_until_complete(measure(contender, repeat))

    return run


async def together(calls: list[Any]) -> int:
    return sum(await asyncio.gather(*calls))


def memory(contender: Any, repeat: int, pool: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> Any:
    """Peak growth of what Python holds while a long stream is read; the reader keeps nothing. Bytes stand as CPU."""
    loop.run_until_complete(contender.astream(CHUNKS))
    settle()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    units = loop.run_until_complete(contender.astream(LONG))
    growth = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return growth, 0.0, units


TASKS = {
    "sync call": sync_task(lambda one, pool: one.plain()),
    "async call": async_task(lambda one: one.aplain()),
    "sync chunk": sync_task(lambda one, pool: one.stream(CHUNKS)),
    "async chunk": async_task(lambda one: one.astream(CHUNKS)),
    "responses event": async_task(lambda one: one.responses(CHUNKS)),
    "messages event": async_task(lambda one: one.messages(CHUNKS)),
    "32 sync calls": sync_task(lambda one, pool: sum(pool.map(lambda _: one.plain(), range(AT_ONCE)))),
    "32 async calls": async_task(lambda one: together([one.aplain() for _ in range(AT_ONCE)])),
    "32 async streams": async_task(lambda one: together([one.astream(CHUNKS) for _ in range(AT_ONCE)])),
    "embeddings": sync_task(lambda one, pool: one.embed()),
    "memory": memory,
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
            cpu, wall, units = TASKS[command["task"]](contenders[name], command["repeat"], pool, loop)
            if command.get("freeze"):
                # What importing and warming up made is never looked at by a garbage collection again: a full one costs
                # more than a hundred calls, and would hit whoever's turn it is.
                gc.collect()
                gc.freeze()
            faulthandler.cancel_dump_traceback_later()
            print(json.dumps({"cpu": cpu, "wall": wall, "units": units}), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
