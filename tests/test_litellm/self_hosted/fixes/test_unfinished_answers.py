"""An answer that was cut short does not say that it is complete."""

from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import USER, chat, chunk, text


def respond(server: RecordingServer, answer: dict[str, Any]) -> None:
    server.responder = lambda request: Response(json=answer)


@pytest.mark.parametrize("reason", ["abort", "error", "repetition"])
async def test_an_answer_that_was_cut_short_is_not_complete(
    server: RecordingServer, to: dict[str, Any], reason: str
) -> None:
    respond(server, chat(reason))
    choice = litellm.completion(messages=USER, **to).choices[0]
    assert (choice.finish_reason, choice.provider_specific_fields["native_finish_reason"]) == ("length", reason)
    assert (await litellm.acompletion(messages=USER, **to)).choices[0].finish_reason == "length"
    message = await litellm.anthropic.messages.acreate(messages=USER, max_tokens=9, **to)
    assert message["stop_reason"] == "max_tokens"
    respond(server, text("Hi", reason))
    assert litellm.text_completion(prompt="a", **to).choices[0].finish_reason == "length"
    server.responder = lambda request: streamed(chunk({"content": "Hi"}), chunk({}, reason))
    assert [part.choices[0].finish_reason for part in litellm.completion(messages=USER, stream=True, **to)][
        -1
    ] == "length"
    server.responder = lambda request: streamed(text("Hi"), text("", reason))
    parts = litellm.text_completion(prompt="a", stream=True, **to)
    assert [part.choices[0].finish_reason for part in parts][-1] == "length"
