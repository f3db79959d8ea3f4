"""A tool's parameters that are named like keywords of a schema reach the server."""

import copy
from typing import Any

import litellm
from litellm.litellm_core_utils.json_schema_keywords import remove_keyword
from support.recording import RecordingServer, Response
from support.vllm_answers import USER, chat

PROPERTIES = {
    "path": {"type": "string"},
    "strict": {"type": "boolean", "default": {"strict": True}},
    "additionalProperties": {"type": "object", "additionalProperties": False},
}

SCHEMA = {"type": "object", "properties": PROPERTIES, "required": ["path", "strict"]}

SENT = {**SCHEMA, "properties": {**PROPERTIES, "additionalProperties": {"type": "object"}}}

TOOL = {
    "type": "function",
    "function": {"name": "f", "strict": True, "parameters": {**SCHEMA, "additionalProperties": False}},
}


def respond(server: RecordingServer, answer: dict[str, Any]) -> None:
    server.responder = lambda request: Response(json=answer)


async def test_parameters_named_like_keywords_stay(server: RecordingServer, to: dict[str, Any]) -> None:
    respond(server, chat())
    litellm.completion(messages=USER, tools=[copy.deepcopy(TOOL)], **to)
    await litellm.acompletion(messages=USER, tools=[copy.deepcopy(TOOL)], **to)
    tool = {"name": "f", "input_schema": copy.deepcopy(SCHEMA)}
    await litellm.anthropic.messages.acreate(messages=USER, max_tokens=9, tools=[tool], **to)
    for request in server.take():
        assert request.json()["tools"][0]["function"] == {"name": "f", "parameters": SENT}


def test_a_keyword_goes_wherever_it_is_one() -> None:
    schema = {"items": [{"anyOf": [{"strict": True}]}], "$defs": {"strict": {"strict": 1}}, "enum": [{"strict": 1}]}
    remove_keyword(schema, "strict", lambda value: True)
    assert schema == {"items": [{"anyOf": [{}]}], "$defs": {"strict": {}}, "enum": [{"strict": 1}]}
