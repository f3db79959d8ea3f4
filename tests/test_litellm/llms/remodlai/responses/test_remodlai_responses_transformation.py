"""
Responses API of remodlai/ and lexiq_nova/.
"""

import asyncio
import copy
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

import litellm
from litellm.exceptions import MidStreamFallbackError
from litellm.types.utils import LlmProviders
from litellm.utils import ProviderConfigManager

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


class BreaksOff(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The first events of an answer, and then an error of the connection's."""

    def __init__(self, events: list[dict[str, Any]], error: Exception) -> None:
        self.body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
        self.error = error

    def __iter__(self) -> Iterator[bytes]:
        yield self.body
        raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body
        raise self.error


def breaks_off(events: list[dict[str, Any]], error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    headers = {"content-type": "text/event-stream"}
    return lambda request: httpx.Response(200, stream=BreaksOff(events, error), headers=headers, request=request)


def sends(events: list[dict[str, Any]]) -> Callable[[httpx.Request], httpx.Response]:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return lambda request: httpx.Response(
        200, text=body, headers={"content-type": "text/event-stream"}, request=request
    )


CREATED = EVENTS[:1]
SAYS = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": "Hi"}
CUT = httpx.RemoteProtocolError("peer closed connection")
LOST = httpx.ReadError("connection reset")
STALL = httpx.ReadTimeout("timed out")
RATE = {"message": "slow down", "type": "RateLimitError", "code": 429}


async def events_of(wire: Any, answer: Any, asynchronous: bool, provider: str = "remodlai") -> list[str]:
    wire.answer = answer
    call = {"model": f"{provider}/m", "input": "Hello", "api_base": BASE, "api_key": KEY, "stream": True}
    if asynchronous:
        return [event.type async for event in await litellm.aresponses(**call)]
    return [event.type for event in await asyncio.to_thread(lambda: list(litellm.responses(**call)))]


both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
both_providers = pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])


@both_ways
@both_providers
@pytest.mark.parametrize("events", [[], CREATED, [*CREATED, SAYS]], ids=["nothing", "created", "output"])
@pytest.mark.parametrize("error", [CUT, LOST], ids=["cut", "lost"])
async def test_remodlai_responses_stream_cut(
    wire: Any, events: list[dict[str, Any]], error: Exception, provider: str, asynchronous: bool
) -> None:
    with pytest.raises(MidStreamFallbackError, match=str(error)) as caught:
        await events_of(wire, breaks_off(events, error), asynchronous, provider)
    assert isinstance(caught.value.original_exception, litellm.APIConnectionError)
    assert caught.value.generated_content == ("Hi" if SAYS in events else "")
    assert caught.value.is_pre_first_chunk == (not events)
    assert KEY not in str(caught.value)


@both_ways
@both_providers
@pytest.mark.parametrize("events", [[], CREATED, [*CREATED, SAYS]], ids=["nothing", "created", "output"])
async def test_remodlai_responses_stream_stalled(
    wire: Any, events: list[dict[str, Any]], provider: str, asynchronous: bool
) -> None:
    with pytest.raises(litellm.Timeout, match="timed out"):
        await events_of(wire, breaks_off(events, STALL), asynchronous, provider)


@both_ways
@pytest.mark.parametrize("error", [CUT, LOST, STALL], ids=["cut", "lost", "stalled"])
async def test_remodlai_responses_stream_broken_behind_its_end_is_whole(
    wire: Any, error: Exception, asynchronous: bool
) -> None:
    kinds = await events_of(wire, breaks_off(EVENTS, error), asynchronous)
    assert kinds == [event["type"] for event in EVENTS]


ERROR_EVENTS: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "nested": ({"error": RATE}, litellm.RateLimitError),
    "nested with type": ({"type": "error", "error": RATE}, litellm.RateLimitError),
    "flat": ({"type": "error", "message": "slow down", "code": "rate_limit_exceeded"}, litellm.RateLimitError),
    "text": ({"error": "slow down"}, litellm.InternalServerError),
    "bare": ({"object": "error", **RATE, "type": "BadRequestError", "code": 400}, litellm.BadRequestError),
    "bad request": ({"error": {**RATE, "type": "BadRequestError", "code": 400}}, litellm.BadRequestError),
    "server error": ({"error": {**RATE, "type": "InternalServerError", "code": 500}}, litellm.InternalServerError),
}


@both_ways
@both_providers
@pytest.mark.parametrize("before", [[], [*CREATED, SAYS]], ids=["first", "later"])
@pytest.mark.parametrize("form", ERROR_EVENTS)
async def test_remodlai_responses_error_event(
    wire: Any, form: str, before: list[dict[str, Any]], provider: str, asynchronous: bool
) -> None:
    event, expected = ERROR_EVENTS[form]
    with pytest.raises((litellm.BadRequestError, MidStreamFallbackError), match="slow down") as caught:
        await events_of(wire, sends([*before, event]), asynchronous, provider)
    assert isinstance(getattr(caught.value, "original_exception", None) or caught.value, expected)
    assert KEY not in str(caught.value)


@both_providers
@pytest.mark.parametrize(
    "answer",
    [
        *(breaks_off(CREATED, error) for error in (CUT, LOST, STALL)),
        *(sends([*CREATED, event]) for event, kind in ERROR_EVENTS.values() if kind is not litellm.BadRequestError),
    ],
    ids=["cut", "lost", "stalled", *(name for name in ERROR_EVENTS if name not in ("bare", "bad request"))],
)
async def test_remodlai_responses_router_falls_back_before_output(wire: Any, answer: Any, provider: str) -> None:
    good = streams_events
    wire.answer = lambda request: (answer if json.loads(request.content)["model"] == "bad" else good)(request)
    deployments = [
        {"model_name": name, "litellm_params": {"model": f"{provider}/{name}", "api_base": BASE, "api_key": KEY}}
        for name in ("bad", "good")
    ]
    router = litellm.Router(model_list=deployments, fallbacks=[{"bad": ["good"]}], num_retries=0)
    stream = await router.aresponses(model="bad", input="Hello", stream=True)
    assert [event.type async for event in stream] == [event["type"] for event in EVENTS]


PIECES: dict[str, dict[str, Any]] = {
    "plain": {},
    "more fields": {
        "logprobs": [{"token": "Hi", "logprob": -0.5}],
        "sequence_number": 7,
        "self": 1,
        "of_later": {"a": 1},
    },
    "no text": {"delta": None},
    "object for text": {"delta": {"text": "Hi"}},
    "number for text": {"delta": 7},
    "words for numbers": {"output_index": "first"},
    "numbers as text": {"output_index": "1"},
    "no error": {"error": None},
    "error beside": {"error": {"message": "slow down"}},
    "error without code": {"error": {"message": "slow down", "code": None}},
    "its object": {"object": "response.output_text.delta"},
    "other type": {"type": "response.output_text.delta "},
    "answer beside": {"response": {"id": "r"}},
}


@pytest.mark.parametrize("name", PIECES)
def test_remodlai_responses_piece_of_text_is_hosted_vllms(name: str, caplog: pytest.LogCaptureFixture) -> None:
    def made(provider: str) -> tuple[type, dict[str, Any], dict[str, Any], set[str]]:
        config = ProviderConfigManager.get_provider_responses_api_config(provider=LlmProviders(provider), model="m")
        assert config is not None
        event = config.transform_streaming_response("m", copy.deepcopy({**SAYS, **PIECES[name]}), None)
        return type(event), vars(event), event.model_extra or {}, event.model_fields_set

    assert made("remodlai") == made("lexiq_nova") == made("hosted_vllm")
    with caplog.at_level(logging.DEBUG, "LiteLLM"):
        made("remodlai")
    assert "output_text.delta" in caplog.text
