"""What users of vLLM behind LiteLLM reported wrong, on a real vLLM."""

import json
from typing import Any

import pytest
from engine.hosted import to

import litellm
from support.recording import events_in
from support.vllm_server import VLLMServer

FRANCE = [{"role": "user", "content": "What is the capital of France?"}]
TOO_LONG = "word " * 20_000
WEATHER = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    },
}


async def test_a_prompt_that_does_not_fit(chat_server: VLLMServer) -> None:
    long = [{"role": "user", "content": TOO_LONG}]
    call = to(chat_server)
    with pytest.raises(litellm.ContextWindowExceededError):
        litellm.completion(messages=long, **call)
    with pytest.raises(litellm.ContextWindowExceededError):
        list(litellm.completion(messages=long, stream=True, **call))
    with pytest.raises(litellm.ContextWindowExceededError):
        await litellm.atext_completion(prompt=TOO_LONG, **call)
    with pytest.raises(litellm.ContextWindowExceededError):
        await litellm.aresponses(input=TOO_LONG, **call)
    with pytest.raises(litellm.ContextWindowExceededError):
        await litellm.anthropic.messages.acreate(messages=long, max_tokens=9, **call)


def test_choices_of_a_stream(chat_server: VLLMServer) -> None:
    call = {"max_tokens": 5, "stream": True, "extra_body": {"ignore_eos": True}, **to(chat_server)}
    chat = litellm.completion(messages=FRANCE, n=2, temperature=1.0, **call)
    text = litellm.text_completion(prompt=["Paris is", "Berlin is"], **call)
    for parts in (list(chat), list(text)):
        choices = [choice for part in parts for choice in part.choices]
        assert {choice.index for choice in choices} == {0, 1}
        assert sorted((c.index, c.finish_reason) for c in choices if c.finish_reason) == [(0, "length"), (1, "length")]


def test_token_ids_as_a_prompt(chat_server: VLLMServer) -> None:
    call = {"max_tokens": 3, "temperature": 0, **to(chat_server)}
    one = litellm.text_completion(prompt=[504, 3575, 282, 4649, 314], **call)
    several = litellm.text_completion(prompt=[[504, 3575, 282, 4649, 314], [504, 3575]], **call)
    assert [choice.index for choice in several.choices] == [0, 1]
    assert several.choices[0].text == one.choices[0].text
    assert one.usage.prompt_tokens == 5


def test_extra_bodies_of_deployment_and_call(chat_server: VLLMServer) -> None:
    deployment = {**to(chat_server), "extra_body": {"ignore_eos": True}}
    router = litellm.Router(model_list=[{"model_name": "a", "litellm_params": deployment}])
    answer = router.completion(
        model="a", messages=FRANCE, max_tokens=25, temperature=0, extra_body={"repetition_penalty": 1.0}
    )
    assert (answer.usage.completion_tokens, answer.choices[0].finish_reason) == (25, "length")


async def test_thinking_in_every_form(chat_server: VLLMServer) -> None:
    forms: list[dict[str, Any]] = [
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "adaptive"}},
        {"reasoning_effort": {"effort": "high", "summary": "auto"}},
    ]
    for form in forms:
        assert litellm.completion(messages=FRANCE, max_tokens=3, **form, **to(chat_server)).choices
    message = await litellm.anthropic.messages.acreate(messages=FRANCE, max_tokens=3, **forms[0], **to(chat_server))
    assert message["content"]


async def test_an_answer_that_the_caller_began_goes_on(chat_server: VLLMServer) -> None:
    begun = [*FRANCE, {"role": "assistant", "content": "The capital of France is"}]
    message = await litellm.anthropic.messages.acreate(messages=begun, max_tokens=4, temperature=0, **to(chat_server))
    assert message["content"][0]["text"].strip().startswith("Paris")


async def test_a_tool_that_the_caller_names(chat_server: VLLMServer) -> None:
    stream = await litellm.anthropic.messages.acreate(
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        max_tokens=100,
        temperature=0,
        stream=True,
        tools=[WEATHER],
        tool_choice={"type": "tool", "name": "get_weather"},
        **to(chat_server),
    )
    events = events_in([part async for part in stream])
    assert [event["delta"]["stop_reason"] for event in events if event["type"] == "message_delta"] == ["tool_use"]
    parts = [event["delta"].get("partial_json", "") for event in events if event["type"] == "content_block_delta"]
    assert set(json.loads("".join(parts))) == {"city"}
