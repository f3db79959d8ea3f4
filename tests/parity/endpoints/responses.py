"""The Responses API and Anthropic messages."""

from typing import Any

from hypothesis import strategies as st
from parity import answers as a
from parity.answers import some
from parity.endpoints.common import (
    NO_MODEL,
    called,
    given,
    merged,
    plain_common,
    streamed_or,
    streaming,
)

OUTPUTS: list[dict[str, Any]] = [
    {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
     "content": [{"type": "output_text", "text": "Hello", "annotations": []}]},
    {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}", "status": "completed"},
]  # fmt: skip


def response_body(output: list[Any], status: str, more: dict[str, Any]) -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "created_at": 1_700_000_000, "model": "served", "status": status}
    return {**head, "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []} | more


response_bodies = st.builds(
    response_body,
    st.lists(st.sampled_from(OUTPUTS), max_size=3),
    st.sampled_from(["completed", "incomplete", "failed", "queued"]),
    some(
        usage=st.just({"input_tokens": 3, "output_tokens": 4, "total_tokens": 7,
                       "output_tokens_details": {"reasoning_tokens": 1}}),
        error=st.none() | st.just({"code": "server_error", "message": "boom"}),
        temperature=st.just(0.5),
        metadata=st.just({"a": "b"}),
        previous_response_id=st.just("resp_0"),
    ),
)  # fmt: skip

RESPONSE_EVENTS = [
    {"type": "response.output_item.added", "output_index": 0, "item": {**OUTPUTS[0], "content": []}},
    {"type": "response.content_part.added", "item_id": "msg_1", "output_index": 0, "content_index": 0,
     "part": {"type": "output_text", "text": "", "annotations": []}},
    {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Hé"},
    {"type": "response.output_text.done", "item_id": "msg_1", "output_index": 0, "content_index": 0, "text": "Hé"},
    {"type": "response.reasoning_text.delta", "item_id": "rs_1", "output_index": 0, "content_index": 0, "delta": "m"},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 1, "delta": "{"},
    {"type": "response.output_item.done", "output_index": 0, "item": OUTPUTS[0]},
    {"type": "response.unknown.event", "x": 1},
    {"type": "error", "code": "server_error", "message": "boom", "param": None},
]  # fmt: skip


def event(kind: str, response: Any) -> dict[str, Any]:
    return {"type": kind, "response": response, "sequence_number": 1}


response_streams = a.streams(
    st.sampled_from(RESPONSE_EVENTS)
    | st.builds(event, st.sampled_from(["response.created", "response.in_progress"]), response_bodies),
    st.lists(
        st.builds(
            event, st.sampled_from(["response.completed", "response.incomplete", "response.failed"]), response_bodies
        ),
        max_size=1,
    ),
)

RESPONSE_INPUTS: list[Any] = [
    "hello",
    [{"role": "user", "content": "hello"}],
    [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
    [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]}],
    [
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "42"},
    ],
    [{"type": "reasoning", "id": "rs_1", "summary": [], "status": None}, {"role": "assistant", "content": "x"}],
]

responses = called(
    "Responses API",
    ("responses", "aresponses"),
    merged(
        some(
            5,
            temperature=st.just(0.5),
            max_output_tokens=st.integers(1, 99),
            instructions=st.just("be brief"),
            tools=st.sampled_from([[{"type": "function", "name": "f", "parameters": {}}], [{"type": "web_search"}]]),
            tool_choice=st.just("auto"),
            reasoning=st.sampled_from([{"effort": "low"}, {"effort": "high", "summary": "auto"}]),
            text=st.just({"format": {"type": "json_object"}}),
            text_format=st.none(),
            store=st.booleans(),
            previous_response_id=st.just("resp_0"),
            include=st.just(["message.output_text.logprobs"]),
            parallel_tool_calls=st.booleans(),
            truncation=st.just("auto"),
            top_p=st.just(0.9),
            background=st.booleans(),
            extra_body=st.just({"top_k": 3}),
            extra_query=st.just({"q": "1"}),
            num_retries=st.integers(0, 1),
            service_tier=st.just("auto"),
        ),
        streaming,
        given(input=st.sampled_from(RESPONSE_INPUTS)),
    ),
    streamed_or(response_bodies, response_streams),
    router=("responses", "aresponses"),
)

ITEMS = {"object": "list", "data": OUTPUTS[:1], "first_id": "a", "last_id": "b", "has_more": False}

response_ids = st.sampled_from(["resp_1", "resp/../x", "a b"])

stored_responses = called(
    "Responses API: stored",
    ("get_responses", "aget_responses", "cancel_responses", "acancel_responses"),
    merged(given(response_id=response_ids), some(extra_query=st.just({"q": "1"}))),
    lambda params: a.bodies(response_bodies),
    models=NO_MODEL,
    shared=plain_common,
)

deleted_responses = called(
    "Responses API: delete",
    ("delete_responses", "adelete_responses"),
    given(response_id=response_ids),
    lambda params: a.bodies(st.just({"id": "resp_1", "object": "response", "deleted": True})),
    models=NO_MODEL,
    shared=plain_common,
)

response_items = called(
    "Responses API: input items",
    ("list_input_items", "alist_input_items"),
    merged(
        given(response_id=st.just("resp_1")),
        some(
            after=st.just("a"), before=st.just("b"), limit=st.integers(1, 50), order=st.sampled_from(["asc", "desc"]),
            include=st.just(["message.input_image.image_url"]),
        ),
    ),
    lambda params: a.bodies(st.just(ITEMS)),
    models=NO_MODEL,
    shared=plain_common,
)  # fmt: skip

compact_responses = called(
    "Responses API: compact",
    ("compact_responses", "acompact_responses"),
    merged(given(input=st.sampled_from(RESPONSE_INPUTS)), some(instructions=st.just("short"))),
    lambda params: a.bodies(response_bodies),
    shared=plain_common,
)

anthropic_messages = st.lists(
    st.sampled_from(
        [
            {"role": "user", "content": "hello"},
            {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "42"}]},
            {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                                                      "data": "AA=="}}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}]},
        ]
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip

anthropic = called(
    "Anthropic messages",
    ("anthropic_interface.messages.create", "anthropic_interface.messages.acreate"),
    merged(
        some(
            4,
            system=st.sampled_from(["be brief", [{"type": "text", "text": "be brief"}]]),
            temperature=st.just(0.5),
            top_k=st.just(4),
            top_p=st.just(0.5),
            stop_sequences=st.just(["END"]),
            thinking=st.sampled_from([{"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"}]),
            tools=st.just([{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}}]),
            tool_choice=st.sampled_from([{"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "f"}]),
            metadata=st.just({"user_id": "u"}),
        ),
        streaming.map(lambda params: {"stream": bool(params.get("stream"))}),
        given(max_tokens=st.integers(1, 64), messages=anthropic_messages),
    ),
    lambda params: a.answers(
        a.chat_streams | response_streams
        if params["stream"]
        else st.builds(a.good, a.completion_body(a.choices, "chat.completion") | response_bodies, a.HEADERS)
    ),
    router=("aanthropic_messages",),
    shared=some(2, timeout=st.just(20), extra_headers=st.just({"x-a": "1"}), input_cost_per_token=st.just(0.001)),
)
