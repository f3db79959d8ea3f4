"""
`python -m benchmarks.faults [ROW ...]`: load and faults at full size, for the table in docs/deploy.

Each row says what it measured. Exits 1 where an answer is lost that the table does not name.

Real proxies on loopback in front of a server without a model. `tests/proxy/test_faults.py` has the short forms.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import httpx

from benchmarks import measure

sys.path.insert(0, str(measure.ROOT / "tests"))  # the proxy is started as the tests start it
from proxy.backend import FOREVER, SERVER_KEY, Replica, serving
from proxy.faults import (
    MESSAGES,
    PROVIDERS,
    RECORDED,
    STARTED,
    counted,
    ended_during_streams,
    fill,
    open_files,
    recorded,
    recording_gateway,
    resident,
    slow_readers,
    small_disk,
    storm,
    streams_at_once,
    tasks,
    telling,
    told,
)
from proxy.gateway import Gateway, config_of, deployment

from support.recording import RecordingServer, Response
from support.waiting import eventually

CLIENTS, STORM_SECONDS = 500, 10.0
READERS, LETTERS, CHUNKS = 200, 2_000, 100
STREAMS = 50
STALL_SECONDS, SHORT_TIMEOUT, CALLS_OF_A_KIND = 60.0, 10.0, 10
DISK_BYTES = 4_000_000
MB = 1e6


def check(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"failed: {what}")


def storm_of_disconnects(gateway: Gateway, server: RecordingServer) -> str:
    story = telling(1000, 0.05)
    usual = serving(SERVER_KEY)
    server.responder = lambda asked: (
        usual(asked) if not asked.body else story(asked) if asked.json()["stream"] else Response(delay=FOREVER)
    )
    asyncio.run(storm(gateway, CLIENTS, STORM_SECONDS))  # the first one makes what is kept
    eventually(lambda: len(recorded(gateway)) == CLIENTS, 60)
    before = resident(gateway.pid), open_files(gateway.pid), tasks(gateway)
    server.take()
    left = asyncio.run(storm(gateway, CLIENTS, STORM_SECONDS))
    eventually(lambda: len(recorded(gateway)) == 2 * CLIENTS, 60)
    eventually(lambda: all(asked.closed.is_set() for asked in server.requests) and tasks(gateway) <= before[2], 60)
    logged = [each for each in recorded(gateway)[CLIENTS:] if each["event"] == "success"]
    check(len(logged) == left["streamed"], "a stream that was left is not logged")
    grew = (resident(gateway.pid) - before[0]) / MB
    return (
        f"{left['streamed']} streams and {left['plain']} calls left; all logged, no connection to the server, "
        f"memory {grew:+.1f} MB, open files {before[1]} -> {open_files(gateway.pid)}, tasks {before[2]} -> "
        f"{tasks(gateway)}"
    )


def slow(gateway: Gateway, server: RecordingServer) -> str:
    story = telling(CHUNKS, 0, " word" + "x" * LETTERS)
    usual = serving(SERVER_KEY)
    server.responder = lambda asked: story(asked) if asked.body and asked.json()["stream"] else usual(asked)
    asyncio.run(slow_readers(gateway, READERS, 1, 1))
    result = asyncio.run(slow_readers(gateway, READERS, 20, 5))
    check(result.ended == {f"whole {CHUNKS}": READERS}, f"not all streams are whole: {result.ended}")
    size = READERS * CHUNKS * LETTERS
    return (
        f"{READERS} streams of {size / READERS / 1000:.0f} kB whole; "
        f"a plain call meanwhile at most {result.slowest:.1f} s; "
        f"memory {result.grew / MB:+.0f} MB for {size / MB:.0f} MB unread"
    )


def ended_in_time(gateway: Gateway, server: RecordingServer) -> str:
    began = time.monotonic()
    ended = asyncio.run(ended_during_streams(gateway, server, STREAMS, 200, 0.1))
    gateway.wait()
    check(ended == {"whole 200": STREAMS} and len(recorded(gateway)) == STREAMS, f"not all streams are whole: {ended}")
    return f"{STREAMS} of {STREAMS} streams of 20 s whole and logged in {time.monotonic() - began:.0f} s"


def ended_too_late(gateway: Gateway, server: RecordingServer) -> str:
    began = time.monotonic()
    ended = asyncio.run(ended_during_streams(gateway, server, STREAMS, 600, 0.1))
    gateway.wait()
    cut = sum(count for how, count in ended.items() if how.startswith("cut"))
    check(cut == STREAMS == len(recorded(gateway)), f"not all are logged: {ended}")
    return f"{cut} of {STREAMS} streams of 60 s cut {time.monotonic() - began:.0f} s on, all logged as far as they came"


def a_worker_killed(gateway: Gateway, server: RecordingServer) -> str:
    eventually(lambda: gateway.text().count(STARTED) == 2, 120)
    ended = asyncio.run(
        ended_during_streams(gateway, server, STREAMS, 50, 0.1, lambda: gateway.workers()[0], signal.SIGKILL)
    )
    began = time.monotonic()
    eventually(lambda: gateway.text().count(STARTED) == 3, 120)
    whole = ended.pop("whole 50")
    check(whole > 0 and all(how.startswith("cut") for how in ended), f"{ended}")
    return f"{whole} of {STREAMS} streams whole, the others cut; a new worker {time.monotonic() - began:.0f} s later"


async def ended_as(client: httpx.AsyncClient, model: str, stream: bool, begun: list[str]) -> tuple[str, float]:
    """How a call ends, `whole`, `error`, `cut` or its status, and after how many seconds; says when it has begun."""
    began = time.monotonic()
    body = {"model": model, "messages": MESSAGES, "stream": stream}
    lines: list[str] = []
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        async for line in answer.aiter_lines():
            if not lines:
                begun.append(model)
            lines.append(line)
    how = told(lines).split()[0] if stream else "whole"
    return how if answer.status_code == httpx.codes.OK else str(answer.status_code), time.monotonic() - began


async def calls_of_a_stall(gateway: Gateway, replica: Replica, models: list[str]) -> dict[str, str]:
    """What becomes of streams that have begun, and of streams and calls that come while the server stands still."""
    kinds: dict[str, list[asyncio.Task[tuple[str, float]]]] = {}
    begun: list[str] = []
    async with gateway.async_client(timeout=None, limits=httpx.Limits(max_connections=None)) as client:

        def ask(kind: str, stream: bool) -> None:
            for model in models:
                calls = [ended_as(client, model, stream, begun) for _ in range(CALLS_OF_A_KIND)]
                kinds.setdefault(f"{kind}, {model.split('-')[0]}", []).extend(map(asyncio.create_task, calls))

        ask("begun streams", stream=True)
        while len(begun) < CALLS_OF_A_KIND * len(models):
            await asyncio.sleep(0.02)
        replica.process.send_signal(signal.SIGSTOP)
        ask("new streams", stream=True)
        ask("new calls", stream=False)
        await asyncio.sleep(STALL_SECONDS)
        replica.process.send_signal(signal.SIGCONT)
        ended = {kind: await asyncio.gather(*calls) for kind, calls in kinds.items()}
    return {
        kind: f"{dict(Counter(how for how, _ in calls))} after {min(s for _, s in calls):.0f}-"
        f"{max(s for _, s in calls):.0f} s"
        for kind, calls in ended.items()
    }


def a_stalled_server() -> str:
    waits = {"default": {}, "short": {"timeout": SHORT_TIMEOUT, "stream_timeout": SHORT_TIMEOUT}}
    replica = Replica(SERVER_KEY, 1.0)
    models = [
        deployment(f"{name}-{provider}", f"{provider}/nova", replica.url, api_key=SERVER_KEY, **more)
        for name, more in waits.items()
        for provider in PROVIDERS
    ]
    config = config_of(models, router_settings={"num_retries": 1, "disable_cooldowns": True})
    try:
        with tempfile.TemporaryDirectory() as folder, Gateway(Path(folder), config) as gateway:
            seen = asyncio.run(calls_of_a_stall(gateway, replica, [each["model_name"] for each in models]))
    finally:
        replica.process.send_signal(signal.SIGCONT)
        replica.kill()
    lost = [kind for kind, how in seen.items() if "default" in kind and not how.startswith("{'whole': ")]
    check(not lost, f"lost with the default timeouts: {seen}")
    return f"{STALL_SECONDS:.0f} s; " + "; ".join(f"{kind}: {how}" for kind, how in seen.items())


def a_full_disk() -> str:
    whole = {"whole 5": STREAMS}
    with (
        tempfile.TemporaryDirectory() as folder,
        small_disk(Path(folder), DISK_BYTES) as disk,
        RecordingServer(serving(SERVER_KEY)) as server,
        recording_gateway(Path(folder), server, LITELLM_LOG="INFO") as gateway,
    ):
        server.responder = telling(5, 0)
        check(asyncio.run(streams_at_once(gateway, STREAMS)) == whole, "not all streams are whole before")
        eventually(lambda: len(recorded(gateway)) == STREAMS, 60)
        ballast = fill(disk)
        for number in (2, 3):
            check(asyncio.run(streams_at_once(gateway, STREAMS)) == whole, "not all streams are whole on a full disk")
            eventually(lambda calls=number * STREAMS: counted(gateway) == calls, 60)
        size = gateway.log.stat().st_size
        ballast.unlink()
        check(asyncio.run(streams_at_once(gateway, STREAMS)) == whole, "not all streams are whole afterwards")
        eventually(lambda: counted(gateway) == 4 * STREAMS and gateway.log.stat().st_size > size, 60)
        lines = (disk / RECORDED).read_text(errors="replace").count("\n")
        return f"{4 * STREAMS} streams whole and counted, {2 * STREAMS} of them on a full disk; {lines} log entries"


def files_of(wheel: Path) -> dict[str, str]:
    with ZipFile(wheel) as archive:
        return {name: sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def builds_at_once() -> str:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        clones = [folder / "one", folder / "two"]
        for clone in clones:
            subprocess.run(["git", "clone", "--quiet", str(measure.ROOT), str(clone)], check=True)
        began = time.monotonic()
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "LOOPBACK_ONLY": "0"}
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir"]
        running = [
            subprocess.Popen([*pip, "--wheel-dir", str(folder / f"out{number}"), "."], cwd=clone, env=environment)
            for number, clone in enumerate([clones[0], clones[0], clones[1]])
        ]
        check([process.wait() for process in running] == [0, 0, 0], "a build failed")
        wheels = [next((folder / f"out{number}").glob("litellm-*.whl")) for number in range(3)]
        contents = [files_of(wheel) for wheel in wheels]
        check(contents[0] == contents[1] == contents[2], "the wheels differ")
        return (
            f"3 builds (two of one clone, one of another, a new shared cache) in {time.monotonic() - began:.0f} s: "
            f"{len(contents[0])} files each, all equal"
        )


def on_a_gateway(
    row: Callable[[Gateway, RecordingServer], str], *arguments: str, **environment: str
) -> Callable[[], str]:
    """The row with a server, and a proxy that has these options and this environment."""

    def measured() -> str:
        with (
            tempfile.TemporaryDirectory() as folder,
            RecordingServer(serving(SERVER_KEY)) as server,
            recording_gateway(Path(folder), server, *arguments, **environment) as gateway,
        ):
            return row(gateway, server)

    return measured


ROWS: dict[str, Callable[[], str]] = {
    "storm": on_a_gateway(storm_of_disconnects),
    "slow": on_a_gateway(slow),
    "stall": a_stalled_server,
    "ended": on_a_gateway(ended_in_time),
    "too-late": on_a_gateway(ended_too_late, GRACEFUL_SHUTDOWN_TIMEOUT="10"),
    # By default uvicorn ends a worker that does not answer it for 5 seconds, also one that is still starting.
    "worker": on_a_gateway(a_worker_killed, "--num_workers", "2", "--timeout_worker_healthcheck", "60"),
    "disk": a_full_disk,  # as root
    "builds": builds_at_once,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    for name in parser.parse_args().rows or ROWS:
        print(f"{name}: {ROWS[name]()}", flush=True)


if __name__ == "__main__":
    main()
