"""
How much a model is to reason: whatever LiteLLM takes reaches the server as a word that it knows.
"""

import copy
from typing import Any

import pytest

import litellm

MESSAGES = [{"role": "user", "content": "Hello"}]
PROVIDERS = ["remodlai", "lexiq_nova"]
CHAT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
RESPONSE = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": []}
FORMS = [
    ({"reasoning_effort": "high"}, "high", "high"),
    ({"reasoning_effort": {"effort": "high"}}, "high", "high"),
    ({"reasoning_effort": {"effort": "high", "summary": "auto"}}, "high", "high"),
    ({"reasoning_effort": {"summary": "auto"}}, None, None),
    ({"reasoning_effort": "none"}, "none", "low"),
    ({"reasoning_effort": "minimal"}, "minimal", "low"),
    ({"thinking": {"type": "disabled"}}, "none", "low"),
    ({"thinking": {"type": "adaptive"}}, "medium", "medium"),
    ({"thinking": {"type": "disabled"}, "reasoning_effort": "low"}, "low", "low"),
]


def call(provider: str, model: str = "m") -> dict[str, Any]:
    return {"model": f"{provider}/{model}", "api_base": "https://nova.example", "api_key": "sk-nova"}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("given", "word", "word_of_gpt_oss"), FORMS)
async def test_remodlai_chat_effort(
    wire: Any, provider: str, given: dict[str, Any], word: str | None, word_of_gpt_oss: str | None
) -> None:
    wire.answers(CHAT)
    for model, expected in (("m", word), ("openai/gpt-oss-120b", word_of_gpt_oss)):
        litellm.completion(messages=MESSAGES, **copy.deepcopy(given), **call(provider, model))
        assert (wire.body().get("reasoning_effort"), wire.body().get("thinking")) == (expected, None)
        await litellm.acompletion(messages=MESSAGES, **copy.deepcopy(given), **call(provider, model))
        assert (wire.body().get("reasoning_effort"), wire.body().get("thinking")) == (expected, None)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("given", "word", "word_of_gpt_oss"),
    [
        ({"thinking": {"type": "disabled"}}, "none", "low"),
        ({"thinking": {"type": "adaptive"}}, "medium", "medium"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, "high", "high"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096, "summary": "detailed"}}, "high", "high"),
    ],
)
async def test_remodlai_messages_effort(
    wire: Any, provider: str, given: dict[str, Any], word: str, word_of_gpt_oss: str
) -> None:
    wire.answers(CHAT)
    for model, expected in (("m", word), ("gpt-oss-20b", word_of_gpt_oss)):
        messages = copy.deepcopy(MESSAGES)
        await litellm.anthropic.messages.acreate(messages=messages, max_tokens=9, **given, **call(provider, model))
        assert wire.body().get("reasoning_effort") == expected


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("given", "word", "word_of_gpt_oss"),
    [
        ({"reasoning": {"effort": "none"}}, {"effort": "none"}, {"effort": "low"}),
        ({"reasoning": {"effort": "high", "summary": "auto"}}, *[{"effort": "high", "summary": "auto"}] * 2),
        ({"reasoning": {"summary": "auto"}}, *[{"summary": "auto"}] * 2),
        ({"thinking": {"type": "disabled"}}, {"effort": "none"}, {"effort": "low"}),
        ({}, None, None),
    ],
)
async def test_remodlai_responses_effort(
    wire: Any, provider: str, given: dict[str, Any], word: Any, word_of_gpt_oss: Any
) -> None:
    wire.answers(RESPONSE)
    for model, expected in (("m", word), ("gpt-oss-20b", word_of_gpt_oss)):
        litellm.responses(input="Hello", **given, **call(provider, model))
        assert wire.body().get("reasoning") == expected
        await litellm.aresponses(input="Hello", **given, **call(provider, model))
        assert wire.body().get("reasoning") == expected


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_remodlai_tools_of_the_caller_stay(wire: Any, provider: str) -> None:
    wire.answers(CHAT)
    parameters = {"type": "object", "properties": {}, "additionalProperties": False}
    tools = [{"type": "function", "function": {"name": "f", "strict": True, "parameters": parameters}}]
    given = copy.deepcopy(tools)
    litellm.completion(messages=MESSAGES, tools=tools, **call(provider))
    await litellm.acompletion(messages=MESSAGES, tools=tools, **call(provider))
    assert tools == given


@pytest.mark.parametrize("provider", PROVIDERS)
def test_remodlai_text_in_a_list(wire: Any, provider: str) -> None:
    wire.answers(CHAT)
    litellm.completion(messages=[{"role": "user", "content": ["Hello", "there"]}], **call(provider))
    assert [part["text"] for part in wire.body()["messages"][0]["content"]] == ["Hello", "there"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("can", "in_prompt"), [(False, True), (True, False), (None, False)])
def test_remodlai_functions_in_the_prompt(
    wire: Any, provider: str, can: bool | None, in_prompt: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.answers(CHAT)
    monkeypatch.setattr(litellm, "add_function_to_prompt", True)
    known = {} if can is None else {f"{provider}/m": {"supports_function_calling": can}}
    monkeypatch.setattr(litellm, "model_cost", {**litellm.model_cost, **known})
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}]
    litellm.completion(messages=copy.deepcopy(MESSAGES), tools=tools, tool_choice="auto", **call(provider))
    body = wire.body()
    assert ("look_up" in str(body["messages"])) is in_prompt
    assert ("tools" in body, "tool_choice" in body) == (not in_prompt, not in_prompt)
