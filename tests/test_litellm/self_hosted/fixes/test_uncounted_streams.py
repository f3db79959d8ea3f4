"""A stream whose server reports no usage is logged with the tokens that LiteLLM counts."""

import asyncio
from typing import Any

import pytest

import litellm
from support.logger import RecordingLogger
from support.plain_calls import arrived
from support.recording import RecordingServer, streamed

PROMPT = "Count to three, please."
TEXTS = ["one two", " three"]


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
    logger = RecordingLogger()
    litellm.callbacks = [logger]
    if asynchronous:
        assert [each async for each in await acall(stream=True, **arguments, **to)]
    else:
        assert await asyncio.to_thread(lambda: list(call(stream=True, **arguments, **to)))
    assert await arrived(logger.event)
    return logger.heard[0]["standard_logging_object"]


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
