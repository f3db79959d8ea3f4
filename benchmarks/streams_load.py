"""
`python -m benchmarks.streams_load`: synchronous streams of three providers, some dropped in the middle; none may hang.

Each thread streams from `hosted_vllm/`, `remodlai/` and `openai/` in random order, and drops every fourth stream in a
reference cycle, so that only the garbage collector finds it. It is left alone for half of the streams; for the others
it is run at random calls inside httpcore's pool, where its finding a stream used to hang the thread. Exits 1, with the
stacks of all threads, where no stream ends for a minute, and where a stream gives another text than the server sent.
"""

import argparse
import faulthandler
import gc
import os
import random
import re
import sys
import threading
import time
from collections import Counter
from types import FrameType

from httpcore._sync import connection_pool

import litellm
from benchmarks import measure
from benchmarks.server import WORDS

PROVIDERS = ("hosted_vllm", "remodlai", "openai")
CHUNKS = 40
TEXT = "".join(WORDS[i % len(WORDS)] for i in range(CHUNKS))
DROPPED = 1 / 4
"""Share of the streams that are dropped."""
COLLECTED = 1 / 20
"""How often a call inside httpcore's pool is a collection too."""
IN_A_ROW = 50
"""Streams of a thread until it changes between collections of its own and the collector's only."""
PATIENCE = 60.0
"""Seconds without the end of a stream after which all hang."""
POOL = connection_pool.__file__


class Load:
    """Streams of several threads, until there are enough or the time is over."""

    def __init__(self, base: str, streams: int, end: float) -> None:
        self.base, self.streams, self.end = base, streams, end
        self.counts: Counter[str] = Counter()
        self.failed: Exception | None = None
        self._lock = threading.Lock()

    def count(self, **counts: int) -> None:
        with self._lock:
            self.counts.update(counts)

    def is_over(self) -> bool:
        return self.failed is not None or self.counts["streams"] >= self.streams or time.monotonic() > self.end

    def thread(self, seed: int) -> None:
        chance = random.Random(seed)

        def collect(frame: FrameType, what: str, _: object) -> None:
            inside = what == "call" and frame.f_code.co_filename == POOL
            if inside and chance.random() < COLLECTED:
                gc.collect()
                self.count(collections=1)

        forced = False
        while not self.is_over():
            sys.setprofile(collect if forced else None)
            try:
                for _ in range(IN_A_ROW):
                    if not self.is_over():
                        self.one(chance)
            except Exception as error:
                self.failed = error
            forced = not forced
        sys.setprofile(None)

    def one(self, chance: random.Random) -> None:
        """Reads one stream to its end, or drops it."""
        provider = chance.choice(PROVIDERS)
        stream = streamed(provider, self.base)
        if chance.random() < DROPPED:
            for _ in range(chance.randrange(CHUNKS)):
                next(stream)
            stream.itself = stream
            self.count(dropped=1)
        else:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            if text != TEXT:
                raise RuntimeError(f"{provider} gave {text!r}")
        self.count(streams=1, **{provider: 1})


def streamed(provider: str, base: str) -> litellm.CustomStreamWrapper:
    return litellm.completion(
        model=f"{provider}/chunks-{CHUNKS}",
        messages=[{"role": "user", "content": "load"}],
        api_base=base,
        api_key="bench",
        stream=True,
    )


def wait(load: Load, threads: list[threading.Thread]) -> None:
    """Waits for the threads' end; where they hang, prints all stacks and ends the process."""
    ended, since = 0, time.monotonic()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.2)
        if load.counts["streams"] != ended:
            ended, since = load.counts["streams"], time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            print(f"hangs: {dict(load.counts)}", flush=True)
            faulthandler.dump_traceback(all_threads=True)
            os._exit(1)  # what hangs would keep the process


def kinds_of_threads() -> dict[str, int]:
    """How many threads there are of each name, numbers left out."""
    return dict(Counter(re.sub(r"[\d_-]+.*", "", thread.name) for thread in threading.enumerate()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams_load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="the longest that it takes")
    parser.add_argument("--streams", type=int, default=sys.maxsize, help="it ends earlier with so many")
    parser.add_argument("--threads", type=int, default=4)
    asked = parser.parse_args()
    litellm.suppress_debug_info = True
    with measure.server() as base:
        for provider in PROVIDERS:
            list(streamed(provider, base))  # imports what it needs
        gc.freeze()  # a collection looks at what the load made, not at all modules
        began = time.monotonic()
        load = Load(base, asked.streams, began + 60 * asked.minutes)
        threads = [threading.Thread(target=load.thread, args=(seed,), daemon=True) for seed in range(asked.threads)]
        for thread in threads:
            thread.start()
        wait(load, threads)
        took = time.monotonic() - began
        gc.collect()
    if load.failed is not None:
        raise load.failed
    print(f"{took:.0f} s, {asked.threads} threads: {dict(load.counts)}; threads left: {kinds_of_threads()}")


if __name__ == "__main__":
    main()
