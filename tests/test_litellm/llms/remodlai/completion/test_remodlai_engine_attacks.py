"""Models and options that cannot be meant, and crowds of callers: each is refused or served, and nothing is left."""

import asyncio
import contextlib
import gc
import json
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm.llms.remodlai.command.engines import stop
from litellm.llms.remodlai.engine import answer
from litellm.llms.remodlai.engine.address import local_server
from litellm.llms.remodlai.engine.check import cannot_be_served
from litellm.llms.remodlai.engine.engine import Engine, running_engines
from litellm.llms.remodlai.engine.runtime import ask, exclusive, runtime_directory, wait
from litellm.llms.remodlai.engine.start import Start
from litellm.llms.remodlai.engine.transport import TRANSPORT
from litellm.llms.remodlai.errors import LexiqNovaError

from .waiting import eventually

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.usefixtures("machine")

WARM = "warm/model"
MODELS = ("a/model", "b/model", "c/model")
CALLERS = 200


def call(model: str = WARM, options: object = None, timeout: Any = 60, **body: Any) -> httpx.Response:
    with httpx.Client(mounts={"lexiq-nova://": TRANSPORT}, timeout=timeout) as client:
        url = f"{local_server(model, options).base}/chat/completions"
        return client.post(url, content=json.dumps({"model": model, **body}))


async def acall(client: httpx.AsyncClient, model: str) -> str:
    """Asks for an answer; returns "" where there is one, else what is said instead."""
    answered = await client.post(f"{local_server(model).base}/x", json={})
    return "" if answered.is_success else f"{answered.status_code} {answered.headers}: {answered.text}"


async def alone(model: str = MODELS[0], timeout: float = 60) -> str:
    async with httpx.AsyncClient(mounts={"lexiq-nova://": TRANSPORT}, timeout=timeout) as client:
        return await acall(client, model)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").glob("*"))


def waiting() -> list[str]:
    """What callers of this process hold: permits, and places in the queue."""
    queue = runtime_directory() / "queue"
    places = [path.name for path in queue.iterdir()] if queue.exists() else []
    return [*places, *(name for name, count in answer._WAITING.items() if count)]


def pid(model: str = WARM) -> int | None:
    return (wait(ask(Engine.of(model).folder, "status")) or {}).get("pid")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Models whose processes were started; at the end the engine that was warm before still is, and nothing is left."""
    names: list[str] = []
    spawn = Start._spawn

    def noted(start: Start, *args: Any, **options: Any) -> Any:
        names.append(start.engine.model)
        return spawn(start, *args, **options)

    monkeypatch.setattr(Start, "_spawn", noted)
    assert call().is_success
    before, files, threads = pid(), open_files(), threading.active_count()
    names.clear()
    yield names
    assert call().is_success and pid() == before
    assert waiting() == []
    for name in {*names} - {WARM}:
        stop(name)
    # Of each engine that was up: the lock of its users, and a connection that the next call would have used.
    eventually(lambda: open_files() <= files + 2 * len(names) and threading.active_count() <= threads)
    assert len([*runtime_directory().glob("*/starting")]) == 1 + len(names)


def make(folder: Path, kind: str) -> Path:
    """A directory that is no model."""
    folder.mkdir()
    configuration = folder / "config.json"
    if kind == "loop":
        folder.rmdir()
        folder.symlink_to(folder)
    elif kind == "loop inside":
        configuration.symlink_to(configuration)
    elif kind == "directory":
        configuration.mkdir()
    elif kind == "pipe":
        os.mkfifo(configuration)
    elif kind == "endless":
        configuration.symlink_to("/dev/zero")
    elif kind == "large":
        configuration.write_bytes(b'{"a": "' + b"x" * 50_000_000 + b'"}')
    elif kind == "deep":
        configuration.write_text('{"a":' * 100_000)
    else:
        configuration.write_bytes({"text": b"no JSON", "list": b"[1]", "bytes": b"\xff\xfe\x00", "nothing": b""}[kind])
    return folder


@pytest.mark.parametrize(
    ("kind", "status_code", "says"),
    [
        ("loop", 404, "there is no model at"),
        ("loop inside", 400, "holds no model"),
        ("directory", 400, "config.json is not a file"),
        ("pipe", 400, "config.json is not a file"),
        ("endless", 400, "config.json is not a file"),
        ("large", 400, "config.json is too large"),
        ("deep", 400, "config.json cannot be read"),
        ("text", 400, "config.json cannot be read"),
        ("bytes", 400, "config.json cannot be read"),
        ("nothing", 400, "config.json cannot be read"),
        ("list", 400, "config.json is not a JSON object"),
    ],
)
def test_a_directory_that_is_no_model(kind: str, status_code: int, says: str, tmp_path: Path) -> None:
    found = cannot_be_served(str(make(tmp_path / "model", kind)), (), {})
    assert found is not None and found[1] == status_code and says in found[0]


def test_a_directory_that_is_no_model_starts_nothing(tmp_path: Path, started: list[str]) -> None:
    for kind in ("loop", "directory", "pipe", "large", "deep", "list"):
        refused = call(str(make(tmp_path / kind.replace(" ", "-"), kind)))
        assert refused.status_code in (400, 404), refused.text
    assert started == []


NAMES = ("a/..", "..", "../a", "a/../b", "./..", "a\0b", "a\nb", "\ud800", "a/b\n", "~/../x", "-", "--help")


def test_a_name_that_is_no_model(started: list[str]) -> None:
    for model in NAMES:
        refused = call(model)
        assert refused.status_code in (400, 404), f"{model!r}: {refused.text}"
    assert started == []


@pytest.mark.parametrize(
    "option",
    ["--help", "--help=all", "--hel", "-h", "--version", "--vers", {"help": True}, {"version": True}, {"help.a": 1}],
)
def test_an_option_that_would_end_the_engine(option: Any) -> None:
    with pytest.raises(LexiqNovaError, match="cannot be given") as refused:
        local_server(WARM, option)
    assert refused.value.status_code == 400


def test_an_option_of_any_text(started: list[str]) -> None:
    """It is vLLM's to say what it makes of it; the engine is found again, and nothing else breaks."""
    for value in ("a\0b\nc", "\ud800", "\033[2J", "x" * 100_000):
        options = {"served_model_name": value}
        first = call("some/model", options)
        assert first.is_success, first.text
        assert call("some/model", options).json()["pid"] == first.json()["pid"]
    assert {engine.model for engine in running_engines()} == {WARM, "some/model"}
    assert len(started) == 4


def test_an_engine_that_does_not_start_has_no_users() -> None:
    for seed in range(3):
        assert call("broken/model", {"seed": seed}).status_code == 503
    folders = [path.parent for path in runtime_directory().glob("*/starting")]
    assert len(folders) == 3
    for folder in folders:
        lock = exclusive(folder / "users")
        assert lock is not None
        lock.close()


def test_a_crowd_over_three_models_with_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call is answered; those that leave while they wait, in any order, leave nothing."""
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    monkeypatch.setenv("LEXIQ_NOVA_PATIENCE", "0")
    assert call().is_success
    files, threads = open_files(), threading.active_count()
    order = random.Random(7)

    async def crowd() -> list[Any]:
        async with httpx.AsyncClient(mounts={"lexiq-nova://": TRANSPORT}, timeout=120) as client:
            calls = [asyncio.ensure_future(acall(client, order.choice(MODELS))) for _ in range(CALLERS)]
            for leaving in order.sample(calls, CALLERS // 2):
                await asyncio.sleep(0.02)
                leaving.cancel()
            return await asyncio.gather(*calls, return_exceptions=True)

    ends = asyncio.run(crowd())
    assert {str(end) for end in ends} <= {"", str(asyncio.CancelledError())}
    assert ends.count("") >= CALLERS // 2
    assert waiting() == [] and call(MODELS[0]).is_success
    asyncio.run(alone())  # the connections of an event loop that is gone are closed with the next one's first call
    gc.collect()
    eventually(lambda: open_files() <= files + len(MODELS) + 2 and threading.active_count() <= threads)


def test_an_engine_that_leaves_again_and_again_is_waited_for() -> None:
    """Between two looks of a call, others may have had the engine's place, and given it back."""
    assert call().is_success
    answers = [httpx.Response(503, headers={answer.ENGINE_HEADER: "leaving"})] * 2 * answer.ATTEMPTS
    paused: list[float] = []

    async def send(engine: Engine, request: httpx.Request, whole: bool = False) -> httpx.Response:
        return answers.pop() if answers else httpx.Response(200)

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    request = httpx.Request("POST", f"{local_server(WARM).base}/x", content=b"")
    assert asyncio.run(answer.answer(request, send, pause)).status_code == 200
    assert len(paused) == 2 * answer.ATTEMPTS


def test_priorities_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "2")
    assert call("high/model", {"priority": 1e308}).is_success
    assert call("low/model", {"priority": -1e308}).is_success
    assert call("middle/model", {"priority": -5}).is_success
    assert {engine.model for engine in running_engines()} == {"high/model", "middle/model"}
    assert call("low/model", {"priority": -1e308}).is_success
    assert {engine.model for engine in running_engines()} == {"high/model", "low/model"}
    assert waiting() == []


def test_a_call_without_any_time(started: list[str]) -> None:
    with contextlib.suppress(httpx.TransportError):  # an answer may be there at once
        call(timeout=0)
    assert call("slow/model", timeout=0).status_code == 408
    assert asyncio.run(alone("another/model", timeout=0)).startswith("408 ")
    eventually(lambda: waiting() == [])
    assert call("slow/model").is_success and call("another/model").is_success
    assert started.count("slow/model") == started.count("another/model") == 1
