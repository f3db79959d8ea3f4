"""Small fixes of what is sent, what is refused, and what an answer says of itself."""

import copy
from typing import Any

import pytest

import litellm
from litellm.caching.caching import Cache
from litellm.litellm_core_utils.json_schema_keywords import remove_keyword
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import USER, chat, chunk, text

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


@pytest.mark.parametrize("prompt", [[1, 2, 3], [[1, 2], [3]]])
async def test_token_ids_as_a_prompt(server: RecordingServer, to: dict[str, Any], prompt: Any) -> None:
    respond(server, text("Hi", "stop"))
    assert litellm.text_completion(prompt=prompt, **to).choices[0].text == "Hi"
    assert (await litellm.atext_completion(prompt=prompt, **to)).choices[0].text == "Hi"
    router = litellm.Router(model_list=[{"model_name": "a", "litellm_params": to}])
    assert (await router.atext_completion(model="a", prompt=prompt)).choices[0].text == "Hi"
    server.responder = lambda request: streamed(text("Hi"), text("", "stop"))
    assert [part.choices[0].text for part in litellm.text_completion(prompt=prompt, stream=True, **to)][0] == "Hi"
    assert [request.json()["prompt"] for request in server.take()] == [prompt] * 4


@pytest.mark.parametrize("base_model", ["gpt-4o-mini", "deepseek/deepseek-chat"])
@pytest.mark.parametrize("stream", [False, True])
async def test_base_model_prices_a_deployment(
    server: RecordingServer, to: dict[str, Any], base_model: str, stream: bool
) -> None:
    end = {**chunk({}), "choices": [], "usage": chat()["usage"]}
    events = [chunk({"content": "Hi"}), chunk({}, "stop"), end]
    server.responder = lambda request: streamed(*events) if stream else Response(json=chat())
    prices = litellm.model_cost[base_model]
    expected = 10 * prices["input_cost_per_token"] + 8 * prices["output_cost_per_token"]
    own = {**to, "model": f"{to['model']}-{base_model[:3]}"}
    deployment = {"model_name": "a", "litellm_params": own, "model_info": {"base_model": base_model}}
    router = litellm.Router(model_list=[deployment])
    if not stream:
        answers = [router.completion(model="a", messages=USER), await router.acompletion(model="a", messages=USER)]
        for answer in answers:
            assert answer._hidden_params["response_cost"] == pytest.approx(expected)
        return
    parts = list(router.completion(model="a", messages=USER, stream=True, stream_options={"include_usage": True}))
    whole = litellm.stream_chunk_builder(parts)
    cost = litellm.completion_cost(whole, base_model=base_model, custom_llm_provider=to["model"].split("/")[0])
    assert cost == pytest.approx(expected)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_embeds", "image_embeds": "AAAA"},
        {"type": "audio_embeds", "audio_embeds": "AAAA"},
        {"type": "video_url", "video_url": {"url": "http://127.0.0.1/a.mp4"}},
        {"image_url": "http://127.0.0.1/a.png"},
        {"audio_url": "http://127.0.0.1/a.wav"},
        {"video_url": "http://127.0.0.1/a.mp4", "uuid": "u"},
    ],
)
async def test_content_parts_of_vllm_pass(server: RecordingServer, to: dict[str, Any], part: dict[str, Any]) -> None:
    respond(server, chat())
    messages = [{"role": "user", "content": [{"type": "text", "text": "a"}, part]}]
    litellm.completion(messages=copy.deepcopy(messages), **to)
    list(litellm.completion(messages=copy.deepcopy(messages), stream=True, **to))
    await litellm.acompletion(messages=copy.deepcopy(messages), **to)
    for request in server.take():
        assert request.json()["messages"] == messages


async def test_a_content_part_that_nobody_knows_is_named(server: RecordingServer, to: dict[str, Any]) -> None:
    for part in ({"type": "hologram", "x": 1}, {"x": 1}):
        messages = [{"role": "user", "content": [part]}]
        with pytest.raises(litellm.BadRequestError, match=str(part.get("type"))):
            litellm.completion(messages=messages, **to)
        with pytest.raises(litellm.BadRequestError, match=str(part.get("type"))):
            await litellm.acompletion(messages=messages, **to)
    assert not server.take()


def said(message: Any) -> tuple[str | None, str | None]:
    return message.content, message.reasoning_content


def of_parts(parts: list[Any]) -> tuple[str, str]:
    deltas = [part.choices[0].delta for part in parts if part.choices]
    return tuple(
        "".join(getattr(delta, name, None) or "" for delta in deltas) for name in ("content", "reasoning_content")
    )  # type: ignore[return-value]


@pytest.mark.parametrize("stream", [False, True])
async def test_reasoning_survives_the_cache(
    server: RecordingServer, to: dict[str, Any], stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [chunk({"reasoning_content": "be"}), chunk({"reasoning_content": "cause"}), chunk({"content": "so"})]
    whole = Response(json=chat(content="so", reasoning_content="because"))
    server.responder = lambda request: streamed(*events, chunk({}, "stop")) if stream else whole
    monkeypatch.setattr(litellm, "cache", Cache(type="local"))
    call = {"messages": USER, "caching": True, "stream": stream, **to}
    for _ in range(2):
        answer = litellm.completion(**call)
        assert (of_parts(list(answer)) if stream else said(answer.choices[0].message)) == ("so", "because")
        answer = await litellm.acompletion(**call)
        found = of_parts([part async for part in answer]) if stream else said(answer.choices[0].message)
        assert found == ("so", "because")
    assert len(server.take()) == 1


async def test_flags_about_a_model_are_not_sent(server: RecordingServer, to: dict[str, Any]) -> None:
    respond(server, chat())
    flags = {"supports_vision": True, "supports_function_calling": True}
    litellm.completion(messages=USER, **flags, **to)
    router = litellm.Router(model_list=[{"model_name": "a", "litellm_params": {**to, **flags}}])
    await router.acompletion(model="a", messages=USER)
    respond(server, {"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    litellm.embedding(input="a", **flags, **to)
    respond(server, text("Hi", "stop"))
    litellm.text_completion(prompt="a", **flags, **to)
    for request in server.take():
        assert not [name for name in request.json() if name.startswith("supports_")]


def test_flags_of_a_deployment_are_known(to: dict[str, Any]) -> None:
    own = {**to, "model": f"{to['model']}-that-calls"}
    assert not litellm.supports_function_calling(own["model"])
    litellm.Router(
        model_list=[{"model_name": "a", "litellm_params": own, "model_info": {"supports_function_calling": True}}]
    )
    assert litellm.supports_function_calling(own["model"])
