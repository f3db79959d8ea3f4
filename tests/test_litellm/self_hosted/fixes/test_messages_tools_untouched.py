"""Anthropic's messages: tools stay as the caller made them."""

import copy
from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import USER, chat, chunk

START = chunk({"role": "assistant", "content": ""})


@pytest.mark.parametrize("stream", [False, True])
async def test_tools_of_the_caller_stay(server: RecordingServer, to: dict[str, Any], stream: bool) -> None:
    server.responder = lambda request: streamed(START, chunk({}, "stop")) if stream else Response(json=chat())
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    tools = [{"name": "f", "input_schema": schema, "defer_loading": True, "input_examples": [{"a": 1}]}]
    given = copy.deepcopy(tools)
    answer = await litellm.anthropic.messages.acreate(messages=USER, max_tokens=9, tools=tools, stream=stream, **to)
    if stream:
        assert [part async for part in answer]
    assert tools == given
    assert server.take()[-1].json()["tools"][0]["function"]["parameters"] == schema
