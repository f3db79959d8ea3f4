"""Anthropic's messages: an answer that the caller began goes on."""

import copy
from typing import Any

import litellm
from support.recording import RecordingServer, Response
from support.vllm_answers import USER, chat


async def test_an_answer_that_the_caller_began_goes_on(server: RecordingServer, to: dict[str, Any]) -> None:
    server.responder = lambda request: Response(json=chat())
    begun = [*USER, {"role": "assistant", "content": "The answer is"}]
    await litellm.anthropic.messages.acreate(messages=copy.deepcopy(begun), max_tokens=9, **to)
    body = server.take()[-1].json()
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert body["messages"][-1] == {"role": "assistant", "content": "The answer is"}
    await litellm.anthropic.messages.acreate(messages=[*begun, *USER], max_tokens=9, **to)
    assert "continue_final_message" not in server.take()[-1].json()
    await litellm.acompletion(messages=begun, **to)
    assert "continue_final_message" not in server.take()[-1].json()
