"""Anthropic's messages: every tool call of a stream is a block of its own."""

import copy
from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, events_in, streamed
from support.vllm_answers import USER, chunk

TOOLS = [
    {"name": f"f{n}", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}} for n in range(2)
]

START = chunk({"role": "assistant", "content": ""})


def call(index: int, arguments: str, first: bool = True) -> dict[str, Any]:
    """A piece of a tool call in a chunk."""
    head = {"id": f"call_{index}", "type": "function"} if first else {}
    name = {"name": f"f{index}"} if first else {}
    return {"index": index, **head, "function": {**name, "arguments": arguments}}


def pieces(*calls: dict[str, Any], **delta: Any) -> dict[str, Any]:
    return chunk({**delta, "tool_calls": list(calls)})


async def events(to: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    stream = await litellm.anthropic.messages.acreate(
        messages=copy.deepcopy(USER), max_tokens=64, stream=True, tools=copy.deepcopy(TOOLS), **more, **to
    )
    return events_in([part async for part in stream])


def blocks(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Name and input of each tool that a stream calls; a block is written to only while it is open."""
    calls: dict[int, list[str]] = {}
    is_open = None
    for event in found:
        if event["type"] == "content_block_start":
            assert is_open is None
            is_open = event["index"]
            if event["content_block"]["type"] == "tool_use":
                calls[is_open] = [event["content_block"]["name"], ""]
        elif event["type"] == "content_block_delta":
            assert event["index"] == is_open
            if event["delta"]["type"] == "input_json_delta":
                calls[is_open][1] += event["delta"]["partial_json"]
        elif event["type"] == "content_block_stop":
            is_open = None
    return [(name, arguments) for name, arguments in calls.values()]


@pytest.mark.parametrize(
    "middle",
    [
        [pieces(call(0, '{"a": 0}'), call(1, '{"a": 1}'))],
        [pieces(call(0, ""), call(1, "")), pieces(call(0, '{"a": 0}', False), call(1, '{"a": 1}', False))],
        [pieces(call(0, '{"a"'), call(1, '{"a": ')), pieces(call(1, "1}", False)), pieces(call(0, ": 0}", False))],
        [pieces(call(0, '{"a": 0}')), pieces(call(1, '{"a": 1}'))],
        [pieces(call(0, '{"a": 0}'), call(1, '{"a": 1}'), content="So:", reasoning="Hm")],
    ],
    ids=["whole", "side by side", "mixed", "one after the other", "with text and reasoning"],
)
async def test_several_tool_calls_are_several_blocks(
    server: RecordingServer, to: dict[str, Any], middle: list[dict[str, Any]]
) -> None:
    server.responder = lambda request: streamed(START, *middle, chunk({}, "tool_calls"))
    found = await events(to)
    assert blocks(found) == [("f0", '{"a": 0}'), ("f1", '{"a": 1}')]
    assert [event["delta"]["stop_reason"] for event in found if event["type"] == "message_delta"] == ["tool_use"]


async def test_a_call_without_arguments_holds_no_other_back(server: RecordingServer, to: dict[str, Any]) -> None:
    server.responder = lambda request: streamed(START, pieces(call(0, "")), pieces(call(1, "{}")), chunk({}, "stop"))
    assert blocks(await events(to)) == [("f0", ""), ("f1", "{}")]


@pytest.mark.parametrize(("finish", "reason"), [("stop", "tool_use"), ("length", "max_tokens")])
async def test_stop_reason_of_a_tool_that_the_caller_names(
    server: RecordingServer, to: dict[str, Any], finish: str, reason: str
) -> None:
    server.responder = lambda request: streamed(START, pieces(call(0, '{"a": 0}')), chunk({}, finish))
    found = await events(to, tool_choice={"type": "tool", "name": "f0"})
    assert [event["delta"]["stop_reason"] for event in found if event["type"] == "message_delta"] == [reason]


async def test_a_stream_of_text_ends_as_before(server: RecordingServer, to: dict[str, Any]) -> None:
    server.responder = lambda request: streamed(START, chunk({"content": "Hi"}), chunk({}, "stop"))
    found = await events(to)
    assert [event["delta"]["stop_reason"] for event in found if event["type"] == "message_delta"] == ["end_turn"]
