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
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

from benchmarks import measure

sys.path.insert(0, str(measure.ROOT / "tests"))  # the proxy is started as the tests start it
from proxy.backend import FOREVER, SERVER_KEY, serving
from proxy.faults import (
    ended_during_streams,
    open_files,
    recorded,
    recording_gateway,
    resident,
    slow_readers,
    storm,
    tasks,
    telling,
)
from proxy.gateway import Gateway

from support.recording import RecordingServer, Response
from support.waiting import eventually

CLIENTS, STORM_SECONDS = 500, 10.0
READERS, LETTERS, CHUNKS = 200, 2_000, 100
STREAMS = 50
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
    started = "Application startup complete"
    eventually(lambda: gateway.text().count(started) == 2, 120)
    killed = gateway.workers()[0]
    ended = asyncio.run(ended_during_streams(gateway, server, STREAMS, 50, 0.1, killed, signal.SIGKILL))
    began = time.monotonic()
    eventually(lambda: gateway.text().count(started) == 3, 120)
    whole = ended.pop("whole 50")
    check(whole > 0 and all(how.startswith("cut") for how in ended), f"{ended}")
    return f"{whole} of {STREAMS} streams whole, the others cut; a new worker {time.monotonic() - began:.0f} s later"


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


ROWS: dict[str, tuple[Callable[[Gateway, RecordingServer], str], tuple[str, ...], dict[str, str]]] = {
    "storm": (storm_of_disconnects, (), {}),
    "slow": (slow, (), {}),
    "ended": (ended_in_time, (), {}),
    "too-late": (ended_too_late, (), {"GRACEFUL_SHUTDOWN_TIMEOUT": "10"}),
    # By default uvicorn ends a worker that does not answer it for 5 seconds, also one that is still starting.
    "worker": (a_worker_killed, ("--num_workers", "2", "--timeout_worker_healthcheck", "60"), {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join([*ROWS, 'builds'])}")
    for name in parser.parse_args().rows or [*ROWS, "builds"]:
        if name == "builds":
            print(f"{name}: {builds_at_once()}", flush=True)
            continue
        row, arguments, environment = ROWS[name]
        with (
            tempfile.TemporaryDirectory() as folder,
            RecordingServer(serving(SERVER_KEY)) as server,
            recording_gateway(Path(folder), server, *arguments, **environment) as gateway,
        ):
            print(f"{name}: {row(gateway, server)}", flush=True)


if __name__ == "__main__":
    main()
