"""
`python -m benchmarks.soak`: ten minutes of mixed load on one proxy; it must not grow.

Plain calls, streams of chat, Responses and Anthropic messages, streams left in the middle, embeddings, pass-through and
refused calls, all the time. Once a second the proxy's resident memory and open files are read from /proc. After the
first minute memory may grow by 2 % and open files not at all: the median of the second minute is compared with that of
the last one. Exits 1 where that fails.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from benchmarks import measure

sys.path.insert(0, str(measure.ROOT / "tests"))  # the proxy is started as the tests start it
from proxy.faults import open_files, resident
from proxy.gateway import Gateway, config_of, deployment

OUTPUT = measure.ROOT / "build" / "benchmarks" / "soak.json"
CALLERS = 3
"""Of each sort of call."""
GROWTH = 1.02
NATIVE = {"supports_native_streaming": True}
MESSAGES = [{"role": "user", "content": "soak " * 20}]


class Load:
    """The sorts of calls, each of which counts what it got."""

    def __init__(self, gateway: Gateway, session: aiohttp.ClientSession) -> None:
        self.url, self.session = gateway.url, session
        self.counts: Counter[str] = Counter()

    async def post(self, path: str, body: dict[str, object], expected: int = 200) -> None:
        async with self.session.post(self.url + path, json=body) as answer:
            data = await answer.read()
        assert answer.status == expected, (path, answer.status, data[:500])

    async def plain(self) -> None:
        await self.post("/v1/chat/completions", {"model": "chat", "messages": MESSAGES})

    async def local(self) -> None:
        await self.post("/v1/chat/completions", {"model": "local", "messages": MESSAGES})

    async def stream(self) -> None:
        await self.post("/v1/chat/completions", {"model": "chat", "messages": MESSAGES, "stream": True})

    async def responses(self) -> None:
        await self.post("/v1/responses", {"model": "responses", "input": "soak", "stream": True})

    async def messages(self) -> None:
        body = {"model": "chat", "messages": MESSAGES, "max_tokens": 99, "stream": True}
        await self.post("/v1/messages", body)

    async def left(self) -> None:
        body = {"model": "chat", "messages": MESSAGES, "stream": True}
        async with self.session.post(self.url + "/v1/chat/completions", json=body) as answer:
            await answer.content.readany()
            answer.close()

    async def embedding(self) -> None:
        await self.post("/v1/embeddings", {"model": "embedding", "input": ["bench input"] * 4})

    async def passed_through(self) -> None:
        await self.post("/remodlai/v1/chat/completions", {"model": "chat", "messages": MESSAGES})

    async def refused(self) -> None:
        await self.post("/v1/chat/completions", {"model": "no-such-model", "messages": MESSAGES}, expected=400)

    def sorts(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            *(self.plain, self.local, self.stream, self.responses, self.messages, self.left),
            *(self.embedding, self.passed_through, self.refused),
        ]

    async def caller(self, call: Callable[[], Awaitable[None]]) -> None:
        while True:
            await call()
            self.counts[call.__name__] += 1
            await asyncio.sleep(0.05)  # a steady load, not as much as can be


async def run(gateway: Gateway, seconds: float) -> tuple[list[tuple[float, int, int]], Counter[str]]:
    """Returns samples of (seconds, bytes, open files), and how many calls of each sort there were."""
    samples = []
    headers = gateway.headers
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        load = Load(gateway, session)
        callers = [asyncio.create_task(load.caller(sort)) for sort in load.sorts() for _ in range(CALLERS)]
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            samples.append((now, resident(gateway.pid), open_files(gateway.pid)))
            if len(samples) % 30 == 0:
                calls = sum(load.counts.values())
                print(
                    f"{now:4.0f} s {samples[-1][1] / 1e6:6.0f} MB {samples[-1][2]:4} files {calls:7} calls",
                    file=sys.stderr,
                )
            await asyncio.wait(callers, timeout=1, return_when=asyncio.FIRST_EXCEPTION)
            for caller in callers:
                if caller.done():
                    caller.result()  # raises: a call went wrong
        for caller in callers:
            caller.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*callers)
        return samples, load.counts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    seconds = 60 * parser.parse_args().minutes
    if seconds < 180:
        parser.error("at least 3 minutes: the second one is compared with the last one")
    with measure.server() as base, tempfile.TemporaryDirectory() as directory:
        models = [
            deployment("chat", "remodlai/chunks-50", base, api_key="bench"),
            deployment("local", "lexiq_nova/chunks-50", base, api_key="bench"),
            deployment("embedding", "remodlai/embedding", base, api_key="bench"),
            # Of another model LiteLLM asks for a whole answer and cuts it into events.
            deployment("responses", "remodlai/chunks-50", base, api_key="bench", model_info=NATIVE),
        ]
        with Gateway(Path(directory), config_of(models), {"LITELLM_LOG": "ERROR"}) as gateway:
            samples, counts = asyncio.run(run(gateway, seconds))
    early = [sample for sample in samples if 60 <= sample[0] < 120]
    late = [sample for sample in samples if sample[0] >= seconds - 60]
    memory, files = (
        [statistics.median(sample[column] for sample in minute) for minute in (early, late)] for column in (1, 2)
    )
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps({"calls": counts, "samples": samples}, indent=1))
    grew = {"memory": memory[1] > GROWTH * memory[0], "open files": files[1] > files[0]}
    print(f"{sum(counts.values())} calls: {dict(counts)}")
    print(f"memory {memory[0] / 1e6:.1f} -> {memory[1] / 1e6:.1f} MB ({memory[1] / memory[0] - 1:+.1%}, at most +2 %)")
    print(f"open files {files[0]:.0f} -> {files[1]:.0f}")
    raise SystemExit(f"grew: {[what for what, bad in grew.items() if bad]}" if any(grew.values()) else 0)


if __name__ == "__main__":
    main()
