"""No log entry is built that nobody reads, and whoever reads one gets it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

import pytest

import litellm
from litellm.litellm_core_utils import litellm_logging
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.responses import streaming_iterator
from support.logger import RecordingLogger
from support.plain_calls import MESSAGES, MODEL, Ask, Counter, arrived, responded
from support.recording import RecordingServer, streamed


@pytest.fixture
def payloads(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch, litellm_logging, "get_standard_logging_object_payload")


async def test_no_log_entry_is_built_that_nobody_reads(ask: Ask, payloads: Counter) -> None:
    for _ in range(3):
        await ask()
    logger = RecordingLogger()
    litellm.callbacks = [logger]
    await ask()
    assert await arrived(logger.event)
    # What the earlier calls had handed over would have come before.
    assert payloads.count == len(logger.heard) == 1


@pytest.fixture(params=["sync", "async"])
def streamed_text(
    request: pytest.FixtureRequest, provider: str, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Awaitable[str]]:
    """Reads a stream of four chunks to its end; returns its text."""
    chunk = {"id": "a", "created": 1, "model": MODEL}
    texts = [{**chunk, "choices": [{"index": 0, "delta": {"content": text}}]} for text in "abc"]
    last = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    monkeypatch.setattr(server, "responder", lambda request: streamed(*texts, last))
    call = {"model": f"{provider}/{MODEL}", "messages": MESSAGES, "stream": True, "api_base": f"{server.url}/v1"}

    def text_of(chunks: Iterable[Any]) -> str:
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    async def read() -> str:
        if request.param == "async":
            return text_of([chunk async for chunk in await litellm.acompletion(**call, api_key="key")])
        return text_of(await asyncio.to_thread(lambda: list(litellm.completion(**call, api_key="key"))))

    return read


async def test_no_log_entry_is_built_of_a_stream_that_nobody_reads(
    streamed_text: Callable[[], Awaitable[str]], payloads: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled = [Counter(monkeypatch, Logging, name) for name in ("success_handler", "async_success_handler")]
    for _ in range(3):
        assert await streamed_text() == "abc"
    await asyncio.sleep(0)  # the task that an asynchronous stream leaves behind looks for callbacks when it runs
    assert sum(counter.count for counter in handled) == 0
    logger = RecordingLogger()
    litellm.callbacks = [logger]
    assert await streamed_text() == "abc"
    assert await arrived(logger.event)
    assert payloads.count == len(logger.heard) == 1
    (heard,) = logger.heard
    assert heard["standard_logging_object"]["response"]["choices"][0]["message"]["content"] == "abc"


async def test_no_log_entry_is_built_of_a_response_that_nobody_reads(
    respond: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "responder", responded)
    handled = [Counter(monkeypatch, Logging, name) for name in ("success_handler", "async_success_handler")]
    loops = Counter(monkeypatch, asyncio, "new_event_loop")
    copies = Counter(monkeypatch, streaming_iterator, "_logging_copy")
    for _ in range(3):
        assert (await respond()).output_text == "Hi"
    await asyncio.sleep(0)
    assert sum(counter.count for counter in handled) == copies.count == 0
    # Where `plain-events` is not, each of a stream's three events has a loop; its end has none.
    assert loops.count <= 3 * 3
    logger = RecordingLogger()
    litellm.callbacks = [logger]
    await respond()
    assert await arrived(logger.event)
    assert {heard["standard_logging_object"]["total_tokens"] for heard in logger.heard} == {6}
    assert len({heard["litellm_call_id"] for heard in logger.heard}) == 1


def to_callbacks(logger: RecordingLogger) -> dict[str, Any]:
    litellm.callbacks = [logger]
    return {}


def to_success_callbacks(logger: RecordingLogger) -> dict[str, Any]:
    litellm.success_callback = [logger.log_success_event]
    litellm._async_success_callback = [logger.async_log_success_event]
    return {}


def to_the_call(logger: RecordingLogger) -> dict[str, Any]:
    return {"success_callback": [logger.log_success_event, logger.async_log_success_event]}


@pytest.mark.parametrize("listen", [to_callbacks, to_success_callbacks, to_the_call])
async def test_a_logger_that_comes_later_hears_the_calls_after_it(
    ask: Ask, listen: Callable[[RecordingLogger], dict[str, Any]]
) -> None:
    await ask()
    logger = RecordingLogger()
    response = await ask(**listen(logger))
    assert await arrived(logger.event)
    (heard,) = logger.heard
    assert heard["litellm_call_id"] == response._hidden_params["litellm_call_id"]
    assert heard["standard_logging_object"]["response"]["id"] == response.id
    assert heard["standard_logging_object"]["total_tokens"] == 6


def with_budget(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(litellm, "max_budget", 100.0)
    return {}


def with_printed_entries(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("LITELLM_PRINT_STANDARD_LOGGING_PAYLOAD", "1")
    return {}


def with_metadata(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"metadata": {"ours": "1"}}


def with_own_logging_object(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    logging_obj = Logging(MODEL, MESSAGES, False, "completion", datetime.now(), "id", "function")
    return {"litellm_logging_obj": logging_obj}


@pytest.mark.parametrize("reader", [with_budget, with_printed_entries, with_metadata, with_own_logging_object])
async def test_whoever_reads_the_entry_otherwise_still_can(
    ask: Ask, payloads: Counter, monkeypatch: pytest.MonkeyPatch, reader: Callable[[pytest.MonkeyPatch], dict[str, Any]]
) -> None:
    await ask(**reader(monkeypatch))
    assert await arrived(payloads.called)
