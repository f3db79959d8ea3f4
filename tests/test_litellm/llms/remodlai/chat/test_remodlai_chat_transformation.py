"""
Chat and text completions of remodlai/ and lexiq_nova/: what the server is asked, and what the caller gets.
"""

from typing import Any

import pytest

import litellm

MESSAGES = [{"role": "user", "content": "Hello"}]
BASE = "https://nova.example"
KEY = "sk-nova-secret"
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


def answer(**message: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "served",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, **message}}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def complete(wire: Any, provider: str = "remodlai", **call: Any) -> Any:
    if not wire.requests:
        wire.answers(answer(content="Hi"))
    call = {"messages": MESSAGES, "api_base": BASE, "api_key": KEY, **call}
    return litellm.completion(model=f"{provider}/m", **call)


def test_remodlai_supports_reasoning_effort(wire: Any) -> None:
    for config in (litellm.HostedLexiqNovaChatConfig(), litellm.LexiqNovaConfig()):
        assert {"reasoning_effort", "thinking"} <= set(config.get_supported_openai_params("gpt-oss-120b"))
    complete(wire, reasoning_effort="high")
    assert wire.body()["reasoning_effort"] == "high"


def test_remodlai_thinking_becomes_reasoning_effort(wire: Any) -> None:
    complete(wire, thinking={"type": "enabled", "budget_tokens": 1024})
    body = wire.body()
    assert body["reasoning_effort"] in ("minimal", "low", "medium", "high")
    assert "thinking" not in body


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://host", "https://host/v1/chat/completions"),
        ("https://host/", "https://host/v1/chat/completions"),
        ("https://host/v1", "https://host/v1/chat/completions"),
        ("https://host/openai/v1/", "https://host/openai/v1/chat/completions"),
    ],
)
def test_remodlai_chat_url(wire: Any, provider: str, base: str, url: str) -> None:
    complete(wire, provider, api_base=base)
    assert (wire.last.method, str(wire.last.url)) == ("POST", url)


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
def test_remodlai_chat_request_and_answer(wire: Any, provider: str) -> None:
    response = complete(wire, provider, temperature=0.5, max_tokens=9)
    assert wire.body() == {"model": "m", "messages": MESSAGES, "temperature": 0.5, "max_tokens": 9}
    assert wire.last.headers["authorization"] == f"Bearer {KEY}"
    assert response.choices[0].message.content == "Hi"
    assert response.usage.total_tokens == 5
    assert response._hidden_params["custom_llm_provider"] == provider


def test_remodlai_never_sends_another_providers_key(wire: Any) -> None:
    complete(wire, api_key=None)
    assert wire.last.headers["authorization"] == "Bearer fake-api-key"


@pytest.mark.parametrize(
    "parameters",
    [
        {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": False},
        {"response_format": SCHEMA},
        {"response_format": {"type": "json_object"}},
        {"logprobs": True, "top_logprobs": 2},
        {"n": 2, "stop": ["END"], "seed": 7},
        {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
    ],
)
def test_remodlai_parameters_reach_the_server(wire: Any, parameters: dict[str, Any]) -> None:
    complete(wire, **parameters)
    body = wire.body()
    assert {name: body[name] for name in parameters} == parameters


@pytest.mark.parametrize("given", [{"extra_body": {"top_k": 20, "chat_template_kwargs": {"a": 1}}}, {"top_k": 20}])
def test_remodlai_parameters_beyond_openai_reach_the_server(wire: Any, given: dict[str, Any]) -> None:
    complete(wire, **given)
    expected = given.get("extra_body", given)
    assert {name: wire.body()[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("file", "url"),
    [
        ({"file_id": "https://example.org/clip.mp4"}, "https://example.org/clip.mp4"),
        ({"file_data": "data:video/mp4;base64,AAAA"}, "data:video/mp4;base64,AAAA"),
    ],
)
def test_remodlai_video_file_becomes_a_video_url(wire: Any, file: dict[str, str], url: str) -> None:
    content = [{"type": "text", "text": "What happens?"}, {"type": "file", "file": file}]
    complete(wire, messages=[{"role": "user", "content": content}])
    assert wire.body()["messages"][0]["content"][1] == {"type": "video_url", "video_url": {"url": url}}


def test_remodlai_input_audio_reaches_the_server(wire: Any) -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    complete(wire, messages=[{"role": "user", "content": [audio]}])
    assert wire.body()["messages"][0]["content"] == [audio]


def test_remodlai_tool_calls_and_reasoning_come_back(wire: Any) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}
    wire.answers(answer(tool_calls=[call], reasoning_content="because"))
    wire.requests.append(None)  # the answer is set already
    message = complete(wire, tools=[TOOL]).choices[0].message
    assert message.tool_calls[0].function.arguments == '{"city": "Bonn"}'
    assert message.reasoning_content == "because"


@pytest.mark.asyncio
async def test_remodlai_async_chat(wire: Any) -> None:
    wire.answers(answer(content="Hi"))
    response = await litellm.acompletion(model="remodlai/m", messages=MESSAGES, api_base=BASE, api_key=KEY)
    assert response.choices[0].message.content == "Hi"
    assert str(wire.last.url) == f"{BASE}/v1/chat/completions"


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
def test_remodlai_text_completion(wire: Any, provider: str) -> None:
    choice = {"index": 0, "text": " world", "finish_reason": "stop", "logprobs": None}
    wire.answers({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]})
    response = litellm.text_completion(model=f"{provider}/m", prompt="Hello", api_base=BASE, api_key=KEY)
    assert response.choices[0].text == " world"
    assert str(wire.last.url) == f"{BASE}/v1/completions"
    assert wire.body()["prompt"] in ("Hello", ["Hello"])
    assert wire.last.headers["authorization"] == f"Bearer {KEY}"


def test_remodlai_router(wire: Any) -> None:
    wire.answers(answer(content="Hi"))
    params = {"model": "remodlai/m", "api_base": BASE, "api_key": KEY}
    router = litellm.Router(model_list=[{"model_name": "nova", "litellm_params": params}])
    assert router.completion(model="nova", messages=MESSAGES).choices[0].message.content == "Hi"
    assert wire.body()["model"] == "m"
