"""
`python -m benchmarks.proxy`: what the proxy adds, as ratios in one run.

One proxy worker in front of the zero-latency server of `benchmarks.server`. `remodlai/` and `hosted_vllm/` in that
proxy, `hosted_vllm/` in a proxy of upstream's own release, other gateways (those that `make bench-proxy` fetches) and
no proxy at all take turns. Plain calls, 64 at once: calls per second and the 99th percentile of their latency. Streams,
64 at once: chunks per second, and the 99th percentile of the time to the first one. Written to
build/benchmarks/proxy.json.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp

from benchmarks import gateways, measure
from benchmarks.__main__ import upstream_release
from benchmarks.report import OURS, markdown

sys.path.insert(0, str(measure.ROOT / "tests"))  # the proxy is started as the tests start it
from proxy.gateway import Gateway, config_of, deployment

OUTPUT = measure.ROOT / "build" / "benchmarks" / "proxy.json"
OTHER, UPSTREAM, DIRECT = "hosted_vllm", measure.UPSTREAM, "no proxy"
AT_ONCE = 64
CHUNKS = 200

Ask = Callable[[aiohttp.ClientSession], Awaitable[float]]
Values = dict[str, dict[str, list[float]]]  # by what is measured, and by contender
PLAIN, LATENCY, CHUNK, FIRST = "plain calls/s", "plain p99 (ms)", "chunks/s", "first chunk p99 (ms)"
GOALS = {PLAIN: 1.5, CHUNK: 3.0, FIRST: 0.5}
"""Against upstream's proxy: rates at least, the time at most, so many times as much."""


class Contender:
    """Who answers: an address, the model and headers that reach it, how much it is asked at once, if it can stream."""

    def __init__(
        self, url: str, model: str, headers: dict[str, str], at_once: int = AT_ONCE, streams: bool = True
    ) -> None:
        self.url, self.model, self.headers = f"{url}/v1/chat/completions", model, headers
        self.at_once, self.streams = at_once, streams

    def body(self, stream: bool) -> dict[str, object]:
        return {"model": self.model, "messages": [{"role": "user", "content": "bench"}], "stream": stream}

    async def plain(self, session: aiohttp.ClientSession) -> float:
        """One plain call; returns its latency in seconds."""
        began = time.perf_counter()
        async with session.post(self.url, json=self.body(False), headers=self.headers) as answer:
            data = await answer.read()
        assert answer.status == 200 and b'"choices"' in data, data
        return time.perf_counter() - began

    async def stream(self, session: aiohttp.ClientSession) -> float:
        """One stream, read to its end; returns the seconds until its first chunk."""
        began = time.perf_counter()
        async with session.post(self.url, json=self.body(True), headers=self.headers) as answer:
            pieces = [await answer.content.readany()]
            first = time.perf_counter() - began
            pieces += [piece async for piece in answer.content.iter_any()]
        data = b"".join(pieces)
        assert data.count(b"data: {") >= CHUNKS and data.rstrip().endswith(b"data: [DONE]"), data[-500:]
        return first


async def at_once(ask: Ask, number: int, turns: int = 1) -> tuple[float, list[float]]:
    """`turns` times `number` calls, `number` at a time; returns the seconds all took, and what each returned."""
    left = iter(range(turns * number))
    latencies: list[float] = []

    async def caller() -> None:
        for _ in left:
            latencies.append(await ask(session))

    connector = aiohttp.TCPConnector(limit=number)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(number)))
        return time.perf_counter() - began, latencies


async def run(contenders: dict[str, Contender], rounds: int) -> Values:
    """Returns every measured value: rates in 1/s, times in s."""
    results: Values = {PLAIN: {}, LATENCY: {}, CHUNK: {}, FIRST: {}}
    for who in contenders.values():  # connections, caches, lazy imports
        await at_once(who.plain, who.at_once)
        if who.streams:
            await at_once(who.stream, who.at_once)
    for turn in range(rounds):
        for name in measure.order([*contenders], turn):
            who = contenders[name]
            seconds, latencies = await at_once(who.plain, who.at_once, turns=4)
            results[PLAIN].setdefault(name, []).append(len(latencies) / seconds)
            results[LATENCY].setdefault(name, []).extend(latencies)
            if who.streams:
                seconds, firsts = await at_once(who.stream, who.at_once)
                results[CHUNK].setdefault(name, []).append(len(firsts) * CHUNKS / seconds)
                results[FIRST].setdefault(name, []).extend(firsts)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return results


def p99(values: list[float]) -> float:
    """Returns the 99th percentile, in ms."""
    return 1e3 * statistics.quantiles(values, n=100)[98]


def cells(task: str, values: dict[str, list[float]]) -> dict[str, str]:
    """Returns what was measured of ours, and ours against each other contender."""
    is_rate = task in (PLAIN, CHUNK)
    middle = {name: statistics.median(each) if is_rate else p99(each) for name, each in values.items()}

    def against(name: str) -> str:
        ratio = middle[OURS] / middle[name]
        if name != UPSTREAM or task not in GOALS:
            return f"{ratio:.2f}"
        met = ratio >= GOALS[task] if is_rate else ratio <= GOALS[task]
        return f"{ratio:.2f} ({'≥' if is_rate else '≤'} {GOALS[task]:g} {'met' if met else 'NOT met'})"

    return {name: f"{middle[OURS]:,.0f}" if name == OURS else against(name) for name in middle}


def table(results: Values) -> str:
    """Returns a Markdown table: ours, and ours against the others, with the goal where there is one."""
    names = list(results[PLAIN])
    said = {task: cells(task, values) for task, values in results.items()}
    head = ("", *(name if name == OURS else f"÷ {name}" for name in names))
    return markdown([head, *((task, *(of_task.get(name, "") for name in names)) for task, of_task in said.items())])


def others(base: str, running: ExitStack) -> Iterator[tuple[str, Contender]]:
    """Starts the other gateways that are here, in front of the server; it stays until `running` is closed."""
    model = f"chunks-{CHUNKS}"
    if gateways.PORTKEY.exists():
        url, headers = running.enter_context(gateways.portkey(base))
        yield "Portkey", Contender(url, model, headers, streams=False)  # 1.15.2 answers streams with an error
    if gateways.ANY_LLM.exists():
        url, headers = running.enter_context(gateways.any_llm(base))
        # More than 15 at once wait for one of its database sessions, and none gets any.
        yield "any-llm's gateway", Contender(url, f"vllm:{model}", headers, at_once=12)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender")
    asked = parser.parse_args()
    with measure.server() as base, tempfile.TemporaryDirectory() as directory, ExitStack() as running:
        models = {name: deployment(name, f"{name}/chunks-{CHUNKS}", base, api_key="bench") for name in (OURS, OTHER)}
        environment = {"LITELLM_LOG": "ERROR"}
        released = {**environment, "PYTHONPATH": str(upstream_release())}
        fork = running.enter_context(Gateway(Path(directory, "fork"), config_of(list(models.values())), environment))
        upstream = running.enter_context(Gateway(Path(directory, "upstream"), config_of([models[OTHER]]), released))
        contenders = {
            **{name: Contender(fork.url, name, fork.headers) for name in (OURS, OTHER)},
            UPSTREAM: Contender(upstream.url, OTHER, upstream.headers),
            **dict(others(base, running)),
            DIRECT: Contender(base.removesuffix("/v1"), f"chunks-{CHUNKS}", {}),
        }
        results = asyncio.run(run(contenders, asked.rounds))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps({"at_once": AT_ONCE, "values": results}, indent=1))
    print(table(results))


if __name__ == "__main__":
    main()
