"""
`python -m benchmarks.proxy`: what the proxy adds, as ratios in one run.

One proxy worker in front of the zero-latency server of `benchmarks.server`. `remodlai/` and `hosted_vllm/` in that
proxy, `hosted_vllm/` in a proxy of upstream's own release, and no proxy at all take turns. Plain calls, 64 at once:
calls per second and the 99th percentile of their latency. Streams, 64 at once: chunks per second. Written to
build/benchmarks/proxy.json.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from benchmarks import measure
from benchmarks.__main__ import upstream_release

sys.path.insert(0, str(measure.ROOT / "tests"))  # the proxy is started as the tests start it
from proxy.gateway import Gateway, config_of, deployment

OUTPUT = measure.ROOT / "build" / "benchmarks" / "proxy.json"
OURS, OTHER, UPSTREAM, DIRECT = "remodlai", "hosted_vllm", measure.UPSTREAM, "no proxy"
AT_ONCE = 64
CHUNKS = 200
GOALS = {"plain calls/s": 1.3, "chunks/s": 2.0}
"""At least this many times `hosted_vllm/`'s."""

Ask = Callable[[aiohttp.ClientSession], Awaitable[float]]


class Contender:
    """Who answers: an address, and the model and headers that reach it."""

    def __init__(self, url: str, model: str, headers: dict[str, str]) -> None:
        self.url, self.model, self.headers = f"{url}/v1/chat/completions", model, headers

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
        """One stream, read to its end; returns the seconds it took."""
        began = time.perf_counter()
        async with session.post(self.url, json=self.body(True), headers=self.headers) as answer:
            data = b"".join([piece async for piece in answer.content.iter_any()])
        assert data.count(b"data: {") >= CHUNKS and data.rstrip().endswith(b"data: [DONE]"), data[-500:]
        return time.perf_counter() - began


async def at_once(ask: Ask, calls: int) -> tuple[float, list[float]]:
    """`calls` calls, AT_ONCE of them at a time; returns the seconds all took, and each."""
    left = iter(range(calls))
    latencies: list[float] = []

    async def caller() -> None:
        for _ in left:
            latencies.append(await ask(session))

    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
        return time.perf_counter() - began, latencies


async def run(contenders: dict[str, Contender], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Returns every measured value by task and contender: rates in 1/s, latencies in s."""
    results: dict[str, dict[str, list[float]]] = {"plain calls/s": {}, "chunks/s": {}, "latency": {}}
    for who in contenders.values():  # connections, caches, lazy imports
        await at_once(who.plain, AT_ONCE)
        await at_once(who.stream, AT_ONCE)
    for turn in range(rounds):
        order = list(contenders)[turn % len(contenders) :] + list(contenders)[: turn % len(contenders)]
        for name in order:
            seconds, latencies = await at_once(contenders[name].plain, 4 * AT_ONCE)
            results["plain calls/s"].setdefault(name, []).append(4 * AT_ONCE / seconds)
            results["latency"].setdefault(name, []).extend(latencies)
            seconds, _ = await at_once(contenders[name].stream, AT_ONCE)
            results["chunks/s"].setdefault(name, []).append(AT_ONCE * CHUNKS / seconds)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return results


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def table(results: dict[str, dict[str, list[float]]]) -> str:
    """Returns a Markdown table: ours, and ours against the others, with the goal where there is one."""
    others = (OTHER, UPSTREAM, DIRECT)
    rows = [("", OURS, *(f"÷ {name}" for name in others)), ("---",) * 5]
    tasks = {
        "plain calls/s": ("plain calls/s", statistics.median),
        "plain p99 (ms)": ("latency", lambda values: 1e3 * p99(values)),
        "chunks/s": ("chunks/s", statistics.median),
    }
    for task, (key, middle) in tasks.items():
        ours = middle(results[key][OURS])
        cells = [task, f"{ours:,.0f}"]
        for name in others:
            ratio, goal = ours / middle(results[key][name]), GOALS.get(task) if name != DIRECT else None
            verdict = f" (≥ {goal:g} {'met' if ratio >= goal else 'NOT met'})" if goal else ""
            cells.append(f"{ratio:.2f}{verdict}")
        rows.append(tuple(cells))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender")
    asked = parser.parse_args()
    with measure.server() as base, tempfile.TemporaryDirectory() as directory:
        models = {name: deployment(name, f"{name}/chunks-{CHUNKS}", base, api_key="bench") for name in (OURS, OTHER)}
        environment = {"LITELLM_LOG": "ERROR"}
        fork = Gateway(Path(directory, "fork"), config_of(list(models.values())), environment)
        other = {**environment, "PYTHONPATH": str(upstream_release())}
        with fork, Gateway(Path(directory, "upstream"), config_of([models[OTHER]]), other) as upstream:
            contenders = {name: Contender(fork.url, name, fork.headers) for name in (OURS, OTHER)}
            contenders[UPSTREAM] = Contender(upstream.url, OTHER, upstream.headers)
            contenders[DIRECT] = Contender(base.removesuffix("/v1"), f"chunks-{CHUNKS}", {})
            results = asyncio.run(run(contenders, asked.rounds))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps({"at_once": AT_ONCE, "values": results}, indent=1))
    print(table(results))


if __name__ == "__main__":
    main()
