"""What the tests of faults and `python -m benchmarks.faults` share: clients in numbers, and what a proxy tells."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from proxy.backend import SERVER_KEY, chunk
from proxy.gateway import Gateway, config_of, deployment, events

from support.recording import RecordingServer, Request, Responder, Response

PROVIDERS = ("remodlai", "lexiq_nova")
MODELS = ("lexiq-nova-chat", "lexiq-nova-local")
MESSAGES = [{"role": "user", "content": "Tell a long story."}]
WORD = " word"
RECORDED = "recorded.jsonl"
STARTED = "Application startup complete"
"""What the proxy's log says once for each worker."""
RECEIVED_AHEAD = 4096
"""Bytes that the kernel takes for a slow reader before it reads them; Linux doubles it."""


def telling(words: int, pause: float, word: str = WORD) -> Responder:
    """A responder: a streamed chat of so many words, so many seconds apart."""

    def answer(request: Request) -> Response:
        def chunks() -> Iterator[Any]:
            for number in range(words):
                # One token each, not a hundred times the same one: LiteLLM ends a stream that repeats itself.
                yield f"data: {json.dumps(chunk({'content': word + 's' * (number % 2)}))}\n\n"
                yield pause
            yield f"data: {json.dumps(chunk({}, 'stop'))}\n\ndata: [DONE]\n\n"

        return Response(chunks=chunks(), headers={"content-type": "text/event-stream"})

    return answer


def asked(number: int = 0, **more: Any) -> dict[str, Any]:
    """The body of a streamed chat; by its number one provider or the other."""
    return {"model": MODELS[number % len(MODELS)], "messages": MESSAGES, "stream": True, **more}


def recorded(gateway: Gateway) -> list[dict[str, Any]]:
    """What the custom logger beside the config was told so far."""
    file = gateway.log.parent / RECORDED
    *lines, _being_written = file.read_text().split("\n") if file.exists() else [""]
    return [json.loads(line) for line in lines]


def resident(pid: int) -> int:
    """The resident memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no memory")


def open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def tasks(gateway: Gateway) -> int:
    """How many tasks the proxy's event loop has."""
    with gateway.client() as client:
        return client.get("/debug/asyncio-tasks").raise_for_status().json()["total_active_tasks"]


def told(lines: list[str]) -> str:
    """How a stream went: `whole`, `error`, or `cut`, with the number of its words."""
    given = events(lines)
    words = sum(isinstance(event, dict) and WORD in json.dumps(event) for event in given)
    failed = any(isinstance(event, dict) and "error" in event for event in given)
    return f"{'error' if failed else 'whole' if given[-1:] == ['[DONE]'] else 'cut'} {words}"


async def streamed(client: httpx.AsyncClient, number: int, begun: set[int]) -> str:
    """Reads a stream to its end, however it ends; its number is put into `begun` at its first word."""
    lines: list[str] = []
    try:
        async with client.stream("POST", "/v1/chat/completions", json=asked(number)) as answer:
            async for line in answer.aiter_lines():
                lines.append(line)
                begun.add(number)
    except httpx.TransportError:
        begun.add(number)
    return told(lines)


async def storm(gateway: Gateway, clients: int, seconds: float, seed: int = 1) -> Counter[str]:
    """Clients that come evenly within so many seconds, and leave: three of four in the middle of a stream.

    Returns:
        How many left a stream, and how many a call without one.
    """
    chance = random.Random(seed)
    left: Counter[str] = Counter()

    async def one(client: httpx.AsyncClient, number: int, words: int) -> None:
        await asyncio.sleep(number * seconds / clients)
        if words == 0:
            try:
                await client.post("/v1/chat/completions", json=asked(number, stream=False), timeout=1)
            except httpx.ReadTimeout:
                left["plain"] += 1
            return
        async with client.stream("POST", "/v1/chat/completions", json=asked(number)) as answer:
            read = 0
            async for line in answer.aiter_lines():
                read += WORD in line
                if read == words:
                    break
        left["streamed"] += 1

    async with gateway.async_client(limits=httpx.Limits(max_connections=None)) as client:
        await asyncio.gather(*(one(client, number, chance.choice((0, 1, 5, 9))) for number in range(clients)))
    return left


@dataclass
class Slow:
    """What a proxy did with slow readers: bytes that it grew by, the slowest plain call beside them, how they ended."""

    grew: int
    slowest: float
    ended: Counter[str]


async def slow_readers(gateway: Gateway, readers: int, plain_calls: int, rest: float) -> Slow:
    """Streams whose readers take one line, then none for a while in which others call, then the rest."""
    before = resident(gateway.pid)
    transport = httpx.AsyncHTTPTransport(
        limits=httpx.Limits(max_connections=None),
        socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_AHEAD)],
    )
    reads, begun = asyncio.Event(), set[int]()

    async def one(client: httpx.AsyncClient, number: int) -> str:
        async with client.stream("POST", "/v1/chat/completions", json=asked(number)) as answer:
            lines: list[str] = []
            async for line in answer.aiter_lines():
                if not lines:
                    begun.add(number)
                    await reads.wait()
                lines.append(line)
            return told(lines)

    async with gateway.async_client(transport=transport) as client:
        readers_of = [asyncio.create_task(one(client, number)) for number in range(readers)]
        while len(begun) < readers:
            await asyncio.sleep(0.05)
        loop, slowest = asyncio.get_running_loop(), 0.0
        async with gateway.async_client() as other:
            for number in range(plain_calls):
                began = loop.time()
                body = asked(number, stream=False)
                (await other.post("/v1/chat/completions", json=body)).raise_for_status()
                slowest = max(slowest, loop.time() - began)
        await asyncio.sleep(rest)
        grew = resident(gateway.pid) - before
        reads.set()
        return Slow(grew, slowest, Counter(await asyncio.gather(*readers_of)))


def recording_gateway(directory: Path, server: RecordingServer, *args: str, **environment: str) -> Gateway:
    """A proxy with both providers, the logger and the counters; not started."""
    models = [
        deployment(name, f"{provider}/nova", server.url, api_key=SERVER_KEY)
        for name, provider in zip(MODELS, PROVIDERS, strict=True)
    ]
    config = config_of(models, litellm_settings={"callbacks": ["recorder.recorder", "prometheus"]})
    recorder = Path(__file__).with_name("recorder.py")
    return Gateway(directory, config, {"RECORDER_FILE": RECORDED, **environment}, args, (recorder,))


async def ended_during_streams(
    gateway: Gateway,
    server: RecordingServer,
    streams: int,
    words: int,
    pause: float,
    which: Callable[[], int] | None = None,
    how: signal.Signals = signal.SIGTERM,
) -> Counter[str]:
    """Ends a process of the proxy, the first one unless `which` says another, when its streams have begun.

    Returns:
        How the streams ended, as `told` says it.
    """
    server.responder = telling(words, pause)
    begun: set[int] = set()
    async with gateway.async_client(limits=httpx.Limits(max_connections=None)) as client:
        reading = [asyncio.create_task(streamed(client, number, begun)) for number in range(streams)]
        while len(begun) < streams:
            await asyncio.sleep(0.05)
        os.kill(which() if which else gateway.pid, how)
        return Counter(await asyncio.gather(*reading))


def counted(gateway: Gateway) -> float:
    """How many calls the counters of `/metrics` have."""
    with gateway.client(follow_redirects=True) as client:
        lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("litellm_requests_metric_total"))


async def streams_at_once(gateway: Gateway, streams: int) -> Counter[str]:
    """How so many streams end that begin together, as `told` says it."""
    async with gateway.async_client(limits=httpx.Limits(max_connections=None)) as client:
        return Counter(await asyncio.gather(*(streamed(client, number, set()) for number in range(streams))))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """
    A file system for what a proxy that runs in a folder logs. It is in a mount namespace of its own, and gone with the
    process that holds it.

    Args:
        folder: of the proxy; its log and the recorder's file will be links to files on the disk.
        size: in bytes.

    Returns:
        The disk, by a path that processes of other namespaces can open.

    Raises:
        OSError: nothing can be mounted here; only root may.
    """
    point = folder / "disk"
    point.mkdir()
    holder = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec cat']
        + ["sh", str(size), str(point)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert holder.stdin is not None and holder.stdout is not None
    try:
        if (said := holder.stdout.readline().strip()) != "mounted":
            raise OSError(f"no file system can be mounted here: {said}")
        disk = Path(f"/proc/{holder.pid}/root{point}")
        for name in ("proxy.log", RECORDED):
            (folder / name).symlink_to(disk / name)
        yield disk
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()


def fill(disk: Path) -> Path:
    """Writes a file until the disk is full, and returns it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return ballast
