"""Load and faults: what a proxy on real processes does, and what is lost. docs/deploy has the table of it.

`python -m benchmarks.faults` does the same at full size.
"""

import asyncio
import resource
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from proxy.backend import FOREVER, SERVER_KEY, TEXT, WORDS, endless, serving
from proxy.faults import (
    MESSAGES,
    MODELS,
    PROVIDERS,
    RECORDED,
    STARTED,
    counted,
    ended_during_streams,
    fill,
    open_files,
    recorded,
    recording_gateway,
    slow_readers,
    small_disk,
    storm,
    streams_at_once,
    tasks,
    telling,
)
from proxy.gateway import START_SECONDS, Gateway, config_of, deployment

from support.recording import RecordingServer, Request, Response
from support.waiting import eventually

PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/completions": {"prompt": "Tell a long story."},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 99},
}
READ = 6
"""Words that a client reads before it leaves."""
CLIENTS, STORM_SECONDS = 100, 2.0
STREAMS = 50
CALLS = 10
READERS, LETTERS, CHUNKS = 40, 2_000, 100
DISK_BYTES = 1_000_000
TIMEOUT = 1.0


async def reads_some(gateway: Gateway, model: str, path: str) -> tuple[str, str]:
    """Leaves a stream after some words; returns the call's id and what the logger is to have been told."""
    read = 0
    body = {"model": model, "stream": True, **PATHS[path]}
    async with gateway.async_client() as client, client.stream("POST", path, json=body) as answer:
        async for line in answer.aiter_lines():
            read += f'"{WORDS[0]}"' in line
            if read == READ:
                break
    return answer.headers["x-litellm-call-id"], WORDS[0] * READ


async def test_what_clients_had_got_before_they_left_is_logged(gateway: Gateway, server: RecordingServer) -> None:
    server.responder = endless
    calls = [(model, path) for model in MODELS for path in PATHS]
    left = await asyncio.gather(*(reads_some(gateway, model, path) for model, path in calls))

    for call_id, text in left:

        def of_call(call_id: str = call_id) -> list[Any]:
            payloads = [each["payload"] for each in recorded(gateway) if each["payload"] is not None]
            return [payload for payload in payloads if payload["litellm_call_id"] == call_id]

        [payload] = await asyncio.to_thread(eventually, of_call, 20, lambda: gateway.text()[-4000:])
        assert text in str(payload["response"]), payload
        assert payload["completion_tokens"] >= READ


async def test_a_storm_of_disconnects_leaves_nothing_behind(gateway: Gateway, server: RecordingServer) -> None:
    story = telling(1000, 0.05)
    server.responder = lambda request: story(request) if request.json()["stream"] else Response(delay=FOREVER)
    await storm(gateway, 20, 0.5)  # what is made at the first calls
    await asyncio.sleep(2)
    files, before, known = open_files(gateway.pid), tasks(gateway), len(recorded(gateway))
    server.take()

    left = await storm(gateway, CLIENTS, STORM_SECONDS)

    def is_over() -> bool:
        return all(request.closed.is_set() for request in server.requests) and len(recorded(gateway)) >= known + CLIENTS

    await asyncio.to_thread(
        eventually, is_over, 20, lambda: f"{len(recorded(gateway)) - known} of {CLIENTS} are logged"
    )
    assert sum(left.values()) == CLIENTS
    logged = [each for each in recorded(gateway)[known:] if each["event"] == "success"]
    assert len(logged) == left["streamed"]
    assert all(each["payload"]["completion_tokens"] > 0 for each in logged)
    assert await asyncio.to_thread(eventually, lambda: tasks(gateway) <= before, 20)
    assert open_files(gateway.pid) <= files + 4, "the client of this test keeps some"
    server.responder = serving(SERVER_KEY)
    with gateway.client() as client:
        body = {"model": MODELS[0], "messages": MESSAGES}
        assert client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"] == TEXT


@pytest.fixture(scope="module")
def stalled() -> Iterator[RecordingServer]:
    """A server that takes requests and answers none; a model `midway` sends some words first."""
    begun = telling(3, 0)

    def answer(request: Request) -> Response:
        if not request.body:
            return serving(SERVER_KEY)(request)
        if request.json()["model"] != "midway":
            return Response(delay=FOREVER)
        return replace(begun(request), chunks=[*list(begun(request).chunks or ())[:-1], FOREVER])

    with RecordingServer(answer) as server:
        yield server


@pytest.fixture(scope="module")
def impatient(
    stalled: RecordingServer, _server: RecordingServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A proxy that waits for a second: models with a replica that stalls and one that does not, and with no other."""
    waits = {"api_key": SERVER_KEY, "timeout": TIMEOUT, "stream_timeout": TIMEOUT}
    models = [
        deployment(name, f"{provider}/{model}", base, **waits)
        for provider in PROVIDERS
        for name, model, base in (
            (f"two-{provider}", "nova", stalled.url),
            (f"two-{provider}", "nova", _server.url),
            (f"one-{provider}", "nova", stalled.url),
            (f"midway-{provider}", "midway", stalled.url),
        )
    ]
    config = config_of(models, router_settings={"num_retries": 1, "allowed_fails": 0, "cooldown_time": 600})
    with Gateway(tmp_path_factory.mktemp("impatient"), config) as gateway:
        yield gateway


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_stalls(
    impatient: Gateway, stalled: RecordingServer, server: RecordingServer, provider: str
) -> None:
    stalled.take()
    with impatient.client() as client:

        def ask(model: str, stream: bool = False, path: str = "/v1/chat/completions") -> httpx.Response:
            return client.post(path, json={"model": f"{model}-{provider}", "messages": MESSAGES, "stream": stream})

        # The other replica answers, and the one that stalls is left alone.
        assert {ask("two", stream).status_code for _ in range(4) for stream in (False, True)} == {200}
        assert len([request for request in stalled.take() if request.path == "/v1/chat/completions"]) <= 2

        # Without another one, the error says what it was, by the pass-through too.
        for path in ("/v1/chat/completions", f"/{provider}/v1/chat/completions"):
            late = ask("one", path=path)
            assert late.status_code == httpx.codes.REQUEST_TIMEOUT, late.text
            assert "time" in late.json()["error"]["message"].lower()

        # A stream that has begun ends with an error event.
        assert '"error"' in (text := ask("midway", stream=True).text) and "Timeout" in text
    assert all(request.closed.wait(2) for request in stalled.requests), "a connection stays open that nobody waits for"


async def test_an_ended_proxy_finishes_its_streams(server: RecordingServer, tmp_path: Path) -> None:
    with recording_gateway(tmp_path, server) as gateway:
        assert await ended_during_streams(gateway, server, STREAMS, words=30, pause=0.1) == {"whole 30": STREAMS}
        gateway.wait()
        logged = [each["payload"]["completion_tokens"] for each in recorded(gateway)]
    assert logged == [30] * STREAMS, "all are logged before the process ends"


@pytest.fixture
def talkative(server: RecordingServer, tmp_path: Path) -> Iterator[Gateway]:
    with recording_gateway(tmp_path, server, LITELLM_LOG="INFO") as gateway:
        yield gateway


async def test_no_room_for_logs(talkative: Gateway, server: RecordingServer) -> None:
    """The limit of a process makes every write to a file fail; it needs no right to mount a disk."""
    gateway = talkative
    server.responder = telling(5, 0)
    whole = {"whole 5": CALLS}

    assert await streams_at_once(gateway, CALLS) == whole
    await asyncio.to_thread(eventually, lambda: len(recorded(gateway)) == CALLS)
    size = len(gateway.text())
    before = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    assert await streams_at_once(gateway, CALLS) == whole
    assert await asyncio.to_thread(eventually, lambda: counted(gateway) == 2 * CALLS), (
        "the counters have what no log has"
    )
    assert (len(gateway.text()), len(recorded(gateway))) == (size, CALLS)

    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, before)
    assert await streams_at_once(gateway, CALLS) == whole
    await asyncio.to_thread(eventually, lambda: len(recorded(gateway)) == 2 * CALLS)
    assert len(gateway.text()) > size


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with ExitStack() as stack:
        try:
            mounted = stack.enter_context(small_disk(tmp_path, DISK_BYTES))
        except OSError as error:
            pytest.skip(str(error))
        yield mounted


async def test_a_full_disk_for_logs(disk: Path, server: RecordingServer, tmp_path: Path) -> None:
    server.responder = telling(5, 0)
    whole = {"whole 5": CALLS}
    with recording_gateway(tmp_path, server, LITELLM_LOG="INFO") as gateway:
        written = disk / RECORDED
        assert await streams_at_once(gateway, CALLS) == whole
        await asyncio.to_thread(eventually, lambda: len(recorded(gateway)) == CALLS)

        ballast = fill(disk)
        assert await streams_at_once(gateway, CALLS) == whole
        assert await asyncio.to_thread(eventually, lambda: counted(gateway) == 2 * CALLS), "the counters have the calls"
        size, kept = len(gateway.text()), written.stat().st_size
        assert await streams_at_once(gateway, CALLS) == whole
        await asyncio.to_thread(eventually, lambda: counted(gateway) == 3 * CALLS)
        assert (len(gateway.text()), written.stat().st_size) == (size, kept), "there was room left"

        ballast.unlink()
        assert await streams_at_once(gateway, CALLS) == whole
        # The first new line stands behind the torn one that filled the disk.
        await asyncio.to_thread(eventually, lambda: written.read_bytes()[kept:].count(b"\n") == CALLS)
        assert len(gateway.text()) > size


async def test_a_killed_worker(server: RecordingServer, tmp_path: Path) -> None:
    with recording_gateway(tmp_path, server, "--num_workers", "2", "--timeout_worker_healthcheck", "60") as gateway:
        await asyncio.to_thread(eventually, lambda: gateway.text().count(STARTED) == 2, START_SECONDS, gateway.text)

        def one_of_them() -> int:
            return min(gateway.workers(), key=open_files)  # at least half of the streams are the other one's

        ended = await ended_during_streams(gateway, server, STREAMS, 30, 0.1, one_of_them, signal.SIGKILL)
        whole = ended.pop("whole 30")
        assert whole >= STREAMS // 2
        assert all(how.startswith("cut") for how in ended), ended
        await asyncio.to_thread(eventually, lambda: len(recorded(gateway)) == whole, 10)

        server.responder = serving(SERVER_KEY)
        async with gateway.async_client() as client:
            for number in range(10):
                body = {"model": MODELS[number % 2], "messages": MESSAGES}
                assert (await client.post("/v1/chat/completions", json=body)).status_code == httpx.codes.OK


async def test_slow_readers(gateway: Gateway, server: RecordingServer) -> None:
    story, usual = telling(CHUNKS, 0, " word" + "x" * LETTERS), serving(SERVER_KEY)
    server.responder = lambda request: story(request) if request.json()["stream"] else usual(request)
    result = await slow_readers(gateway, READERS, plain_calls=5, rest=1)
    assert result.ended == {f"whole {CHUNKS}": READERS}
