"""A stream whose server reports no usage is logged with the tokens that LiteLLM counts."""

import asyncio
from typing import Any

import pytest

import litellm
from litellm.integrations.custom_logger import CustomLogger
from support.recording import RecordingServer, streamed

PROMPT = "Count to three, please."
TEXTS = ["one two", " three"]


class Told(CustomLogger):
    """Keeps the log entry of a call."""

    def __init__(self) -> None:
        super().__init__()
        self.entry: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.loop = asyncio.get_running_loop()

    def tell(self, entry: dict[str, Any] | None) -> None:
        if entry is not None and not self.entry.done():
            self.entry.set_result(entry)

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.loop.call_soon_threadsafe(self.tell, kwargs.get("standard_logging_object"))

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.loop.call_soon_threadsafe(self.tell, kwargs.get("standard_logging_object"))


def chunk(kind: str, choice: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "a", "object": kind, "created": 1, "model": "m", "choices": [{"index": 0, **choice}], **more}


def chat(text: str, **more: Any) -> dict[str, Any]:
    return chunk("chat.completion.chunk", {"delta": {"content": text}}, **more)


def completion(text: str, **more: Any) -> dict[str, Any]:
    return chunk("text_completion", {"text": text, "logprobs": None}, **more)


CALLS = {
    "chat": (litellm.completion, litellm.acompletion, {"messages": [{"role": "user", "content": PROMPT}]}, chat),
    "text completion": (litellm.text_completion, litellm.atext_completion, {"prompt": PROMPT}, completion),
}


@pytest.fixture(params=CALLS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


async def entry_of(kind: str, to: dict[str, Any], asynchronous: bool) -> dict[str, Any]:
    """Reads a stream to its end; returns its log entry."""
    call, acall, arguments, _ = CALLS[kind]
    told = Told()
    litellm.callbacks = [told]
    if asynchronous:
        assert [each async for each in await acall(stream=True, **arguments, **to)]
    else:
        assert await asyncio.to_thread(lambda: list(call(stream=True, **arguments, **to)))
    return await asyncio.wait_for(told.entry, 20)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
async def test_tokens_are_counted(
    server: RecordingServer, to: dict[str, Any], kind: str, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm, "callbacks", [])
    server.responder = lambda request: streamed(*map(CALLS[kind][3], TEXTS))
    entry = await entry_of(kind, to, asynchronous)
    assert entry["completion_tokens"] == litellm.utils.token_counter(model="m", text="".join(TEXTS))
    assert entry["prompt_tokens"] >= litellm.utils.token_counter(model="m", text=PROMPT)
    assert entry["total_tokens"] == entry["prompt_tokens"] + entry["completion_tokens"]


async def test_what_a_server_reports_is_not_counted(
    server: RecordingServer, to: dict[str, Any], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm, "callbacks", [])
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    make = CALLS[kind][3]
    server.responder = lambda request: streamed(*map(make, TEXTS), make("", usage=usage))
    entry = await entry_of(kind, to, asynchronous=True)
    assert (entry["prompt_tokens"], entry["completion_tokens"]) == (100, 50)
