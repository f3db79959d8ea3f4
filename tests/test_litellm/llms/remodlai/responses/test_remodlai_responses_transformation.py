"""
Responses API of remodlai/ and lexiq_nova/.
"""

import json
from typing import Any

import httpx
import pytest

import litellm

BASE = "https://nova.example"
KEY = "sk-nova-secret"
ANSWER = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "served",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "temperature": 1.0,
    "top_p": 1.0,
    "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
}


def respond(provider: str = "remodlai", **call: Any) -> Any:
    return litellm.create_response(
        model=f"{provider}/m", **{"input": "Hello", "api_base": BASE, "api_key": KEY, **call}
    )


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://host", "https://host/v1/responses"),
        ("https://host/v1/", "https://host/v1/responses"),
        ("https://host/openai/v1", "https://host/openai/v1/responses"),
    ],
)
def test_remodlai_responses_url(wire: Any, provider: str, base: str, url: str) -> None:
    wire.answers(ANSWER)
    respond(provider, api_base=base)
    assert str(wire.last.url) == url
    assert wire.last.headers["authorization"] == f"Bearer {KEY}"


def test_remodlai_responses_request_and_answer(wire: Any) -> None:
    wire.answers(ANSWER)
    response = respond(instructions="Be brief.", max_output_tokens=32)
    body = wire.body()
    assert (body["model"], body["input"], body["instructions"]) == ("m", "Hello", "Be brief.")
    assert body["max_output_tokens"] == 32
    assert response.output[0].content[0].text == "Hi"
    assert response.usage.total_tokens == 5


@pytest.mark.parametrize("role", ["user", "system", "assistant", "developer"])
def test_remodlai_responses_item_whose_type_is_a_role_is_a_message(wire: Any, role: str) -> None:
    wire.answers(ANSWER)
    respond(input=[{"type": role, "content": "Hello"}])
    item = wire.body()["input"][0]
    assert (item["role"], item["content"]) == (role, "Hello")
    assert item.get("type", "message") == "message"


@pytest.mark.asyncio
async def test_remodlai_async_responses(wire: Any) -> None:
    wire.answers(ANSWER)
    response = await litellm.acreate_response(model="remodlai/m", input="Hello", api_base=BASE, api_key=KEY)
    assert response.output[0].content[0].text == "Hi"


def test_remodlai_responses_never_send_another_providers_key(wire: Any) -> None:
    wire.answers(ANSWER)
    respond(api_key=None)
    assert wire.last.headers["authorization"] == "Bearer fake-api-key"


def test_remodlai_responses_error(wire: Any) -> None:
    wire.answers({"error": {"message": "slow down"}}, 429)
    with pytest.raises(litellm.RateLimitError) as caught:
        respond()
    assert caught.value.llm_provider == "remodlai"
    assert KEY not in str(caught.value)


CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "f",
    "arguments": "{}",
    "status": "completed",
}
EVENTS = [
    {"type": "response.created", "response": {**ANSWER, "status": "in_progress", "output": []}},
    {"type": "response.output_item.added", "output_index": 0, "item": {**CALL, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0, "delta": "{}"},
    {"type": "response.output_item.done", "output_index": 0, "item": CALL},
    {"type": "response.completed", "response": {**ANSWER, "output": [CALL]}},
]


def streams_events(request: httpx.Request) -> httpx.Response:
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS)
    return httpx.Response(200, text=body, headers={"content-type": "text/event-stream"}, request=request)


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
def test_remodlai_responses_stream_is_the_servers_own(wire: Any, provider: str) -> None:
    wire.answer = streams_events
    events = list(respond(provider, stream=True))
    assert wire.body()["stream"] is True
    assert [event.type for event in events] == [event["type"] for event in EVENTS]
    assert events[2].delta == "{}"


@pytest.mark.asyncio
async def test_remodlai_async_responses_stream_is_the_servers_own(wire: Any) -> None:
    wire.answer = streams_events
    stream = await litellm.aresponses(model="remodlai/m", input="Hello", api_base=BASE, api_key=KEY, stream=True)
    assert [event.type async for event in stream] == [event["type"] for event in EVENTS]


def test_remodlai_responses_stream_of_a_model_that_cannot(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(litellm.model_cost, "remodlai/m", {"supports_native_streaming": False})
    wire.answers(ANSWER)
    events = list(respond(stream=True))
    assert "stream" not in wire.body()
    assert events[-1].response.output[0].content[0].text == "Hi"
