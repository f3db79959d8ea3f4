"""The Responses API of the hosted provider against a real vLLM that serves SmolLM2."""

import asyncio
import json

import pytest
from engine.hosted import PREFIX, to

import litellm
from support.vllm_server import ENDLESS, VLLMServer
from support.waiting import eventually

QUESTION = "What is the capital of France?"
ANSWER = "The capital of France is Paris."


def text_of(response: litellm.ResponsesAPIResponse) -> str:
    return "".join(
        part.text for item in response.output if item.type == "message" for part in item.content if part.text
    )


def lookup(server: VLLMServer) -> dict:
    """How a call about an earlier response reaches the server: the provider is named, not a model."""
    call = to(server)
    return {"custom_llm_provider": PREFIX, "api_base": call["api_base"], "api_key": call["api_key"]}


@pytest.mark.parametrize("path", ["/v1", ""])
def test_create(chat_server: VLLMServer, path: str) -> None:
    response = litellm.responses(input=QUESTION, temperature=0, max_output_tokens=20, **to(chat_server, path))

    assert text_of(response) == ANSWER
    assert response.status == "completed"
    assert response.usage.input_tokens > 0
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


async def test_async_create_with_instructions_and_items(chat_server: VLLMServer) -> None:
    response = await litellm.aresponses(
        instructions="You answer questions about countries.",
        input=[{"role": "user", "content": QUESTION}],
        temperature=0,
        max_output_tokens=20,
        **to(chat_server),
    )

    assert "Paris" in text_of(response)


def test_create_response_takes_a_role_as_type(chat_server: VLLMServer) -> None:
    response = litellm.create_response(
        input=[{"type": "user", "content": QUESTION}], temperature=0, max_output_tokens=20, **to(chat_server)
    )

    assert text_of(response) == ANSWER


def check_events(events: list) -> None:
    types = [str(event.type.value if hasattr(event.type, "value") else event.type) for event in events]
    assert types[0] == "response.created"
    assert types[-1] == "response.completed"
    assert "".join(e.delta for e, kind in zip(events, types, strict=True) if kind.endswith("text.delta")) == ANSWER
    assert text_of(events[-1].response) == ANSWER


def test_stream(chat_server: VLLMServer) -> None:
    check_events(
        list(litellm.responses(input=QUESTION, temperature=0, max_output_tokens=20, stream=True, **to(chat_server)))
    )


async def test_async_stream(chat_server: VLLMServer) -> None:
    stream = await litellm.aresponses(
        input=QUESTION, temperature=0, max_output_tokens=20, stream=True, **to(chat_server)
    )

    check_events([event async for event in stream])


LONG = {"input": "Tell a long story.", "max_output_tokens": ENDLESS, "extra_body": {"ignore_eos": True}}


def test_a_stream_comes_while_it_is_generated_and_ends_with_its_reader(
    chat_server: VLLMServer, stopped_early: None
) -> None:
    stream = litellm.responses(stream=True, **LONG, **to(chat_server))
    assert any(event.type == "response.output_text.delta" for event in stream)  # reads no further than the first
    assert chat_server.running() == 1
    del stream


async def test_an_async_stream_comes_while_it_is_generated_and_ends_with_its_reader(
    chat_server: VLLMServer, stopped_early: None
) -> None:
    stream = await litellm.aresponses(stream=True, **LONG, **to(chat_server))
    async for event in stream:
        if event.type == "response.output_text.delta":
            break
    assert await asyncio.to_thread(chat_server.running) == 1
    del stream, event
    await asyncio.to_thread(eventually, lambda: chat_server.running() == 0)


def test_a_tool_call_is_streamed(chat_server: VLLMServer) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "name": "get_weather", "parameters": parameters}
    events = list(
        litellm.responses(
            input="What is the weather in Paris?",
            tools=[tool],
            tool_choice={"type": "function", "name": "get_weather"},
            temperature=0,
            max_output_tokens=64,
            stream=True,
            **to(chat_server),
        )
    )
    pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    [call] = [item for item in events[-1].response.output if item.type == "function_call"]
    assert len(pieces) > 1 and "".join(pieces) == call.arguments
    assert "city" in json.loads(call.arguments)


def test_get(chat_server: VLLMServer) -> None:
    made = litellm.responses(input=QUESTION, temperature=0, max_output_tokens=20, store=True, **to(chat_server))

    found = litellm.get_responses(response_id=made.id, **lookup(chat_server))

    assert text_of(found) == ANSWER
    assert found.status == "completed"


async def test_previous_response_is_remembered(chat_server: VLLMServer) -> None:
    first = await litellm.aresponses(input=QUESTION, temperature=0, max_output_tokens=20, store=True, **to(chat_server))
    second = await litellm.aresponses(
        input="And of Germany?",
        previous_response_id=first.id,
        temperature=0,
        max_output_tokens=20,
        **to(chat_server),
    )

    assert second.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens


def test_cancel(chat_server: VLLMServer) -> None:
    made = litellm.responses(
        input="Tell a long story.",
        background=True,
        store=True,
        max_output_tokens=ENDLESS,
        extra_body={"ignore_eos": True},
        **to(chat_server),
    )
    eventually(lambda: chat_server.running() == 1)

    cancelled = litellm.cancel_responses(response_id=made.id, **lookup(chat_server))

    assert cancelled.status == "cancelled"
    eventually(lambda: chat_server.running() == 0)
    assert litellm.get_responses(response_id=made.id, **lookup(chat_server)).status == "cancelled"


def test_unknown_response(chat_server: VLLMServer) -> None:
    # vLLM calls it an invalid_request_error, which LiteLLM takes for a bad request whatever the status.
    with pytest.raises(litellm.BadRequestError, match="resp_nobody_made_it"):
        litellm.get_responses(response_id="resp_nobody_made_it", **lookup(chat_server))


def test_wrong_key(chat_server: VLLMServer) -> None:
    with pytest.raises(litellm.AuthenticationError) as caught:
        litellm.responses(input=QUESTION, **{**to(chat_server), "api_key": "sk-wrong-4711"})

    assert caught.value.status_code == 401
    assert "sk-wrong-4711" not in str(caught.value)
