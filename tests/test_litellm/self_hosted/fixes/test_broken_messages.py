"""A synchronous stream of Anthropic messages that breaks off says so, and does not end like a whole answer."""

from typing import Any

import litellm
from support.recording import CUT, RecordingServer, streamed


def says(text: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def test_a_stream_that_breaks_off(server: RecordingServer, to: dict[str, Any]) -> None:
    server.responder = lambda request: streamed(says("One"), says(" two"), CUT, done=False)
    call = {"messages": [{"role": "user", "content": "Count"}], "max_tokens": 9, "stream": True, **to}
    events = b"".join(litellm.anthropic.messages.create(**call))
    assert b"One" in events and b"event: error" in events
    assert b"event: message_stop" not in events


def test_a_whole_stream(server: RecordingServer, to: dict[str, Any]) -> None:
    last = {**says(""), "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    server.responder = lambda request: streamed(says("One"), last)
    call = {"messages": [{"role": "user", "content": "Count"}], "max_tokens": 9, "stream": True, **to}
    events = b"".join(litellm.anthropic.messages.create(**call))
    assert b"event: message_stop" in events and b"event: error" not in events
