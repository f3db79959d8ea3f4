"""Streams of several choices: each has its index, its text and its finish reason."""

from collections.abc import Iterable
from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, streamed
from support.vllm_answers import USER, chunk, text

BOTH = {0: ("AA", "stop"), 1: ("BB", "length")}

CHATS = {
    "finish by itself": [
        chunk({"role": "assistant", "content": ""}),
        chunk({"role": "assistant", "content": ""}, index=1),
        chunk({"content": "A"}),
        chunk({"content": "B"}, index=1),
        chunk({"content": "B"}, index=1),
        chunk({}, "length", index=1),
        chunk({"content": "A"}),
        chunk({}, "stop"),
    ],
    "finish with text": [
        chunk({"content": "A"}),
        chunk({"content": "B"}, index=1),
        chunk({"content": "A"}, "stop"),
        chunk({"content": "B"}, "length", index=1),
    ],
    "one after the other": [
        chunk({"content": "AA"}, "stop"),
        chunk({"content": "B"}, index=1),
        chunk({"content": "B"}, "length", index=1),
    ],
}
TEXTS = {
    "in turn": [text("A"), text("B", index=1), text("A"), text("B", index=1), text("", "stop"), text("", "length", 1)],
    "finish with text": [text("A"), text("B", index=1), text("A", "stop"), text("B", "length", 1)],
    "one after the other": [text("AA", "stop"), text("B", index=1), text("B", "length", 1)],
    "second first": [text("B", index=1), text("B", "length", 1), text("A"), text("A", "stop")],
}


def gathered(parts: Iterable[Any]) -> dict[int, tuple[str, str | None]]:
    found: dict[int, tuple[str, str | None]] = {}
    for choice in (choice for part in parts for choice in part.choices):
        said, reason = found.get(choice.index, ("", None))
        content = choice.text if hasattr(choice, "text") else choice.delta.content
        assert not (reason and choice.finish_reason), "a choice finishes once"
        found[choice.index] = said + (content or ""), choice.finish_reason or reason
    return found


@pytest.mark.parametrize("events", CHATS.values(), ids=CHATS)
async def test_chat(server: RecordingServer, to: dict[str, Any], events: list[dict[str, Any]]) -> None:
    server.responder = lambda request: streamed(*events)
    assert gathered(litellm.completion(messages=USER, n=2, stream=True, **to)) == BOTH
    assert gathered([part async for part in await litellm.acompletion(messages=USER, n=2, stream=True, **to)]) == BOTH


@pytest.mark.parametrize("prompt", [["a", "b"], "a"])
@pytest.mark.parametrize("events", TEXTS.values(), ids=TEXTS)
async def test_text_completion(
    server: RecordingServer, to: dict[str, Any], events: list[dict[str, Any]], prompt: str | list[str]
) -> None:
    server.responder = lambda request: streamed(*events)
    assert gathered(litellm.text_completion(prompt=prompt, n=2, stream=True, **to)) == BOTH
    stream = await litellm.atext_completion(prompt=prompt, n=2, stream=True, **to)
    assert gathered([part async for part in stream]) == BOTH


def test_one_choice_is_as_before(server: RecordingServer, to: dict[str, Any]) -> None:
    server.responder = lambda request: streamed(chunk({"content": "A"}), chunk({"content": "A"}, "stop"))
    parts = list(litellm.completion(messages=USER, stream=True, **to))
    assert [(part.choices[0].delta.content, part.choices[0].finish_reason) for part in parts] == [
        ("A", None),
        ("A", None),
        (None, "stop"),
    ]
