"""The reasoning of an answer is in the cache too."""

from typing import Any

import pytest

import litellm
from litellm.caching.caching import Cache
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import USER, chat, chunk


def said(message: Any) -> tuple[str | None, str | None]:
    return message.content, message.reasoning_content


def of_parts(parts: list[Any]) -> tuple[str, str]:
    deltas = [part.choices[0].delta for part in parts if part.choices]
    return tuple(
        "".join(getattr(delta, name, None) or "" for delta in deltas) for name in ("content", "reasoning_content")
    )  # type: ignore[return-value]


@pytest.mark.parametrize("stream", [False, True])
async def test_reasoning_survives_the_cache(
    server: RecordingServer, to: dict[str, Any], stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [chunk({"reasoning_content": "be"}), chunk({"reasoning_content": "cause"}), chunk({"content": "so"})]
    whole = Response(json=chat(content="so", reasoning_content="because"))
    server.responder = lambda request: streamed(*events, chunk({}, "stop")) if stream else whole
    monkeypatch.setattr(litellm, "cache", Cache(type="local"))
    call = {"messages": USER, "caching": True, "stream": stream, **to}
    for _ in range(2):
        answer = litellm.completion(**call)
        assert (of_parts(list(answer)) if stream else said(answer.choices[0].message)) == ("so", "because")
        answer = await litellm.acompletion(**call)
        found = of_parts([part async for part in answer]) if stream else said(answer.choices[0].message)
        assert found == ("so", "because")
    assert len(server.take()) == 1
