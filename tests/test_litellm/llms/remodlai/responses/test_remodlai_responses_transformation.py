"""
Responses API of remodlai/ and lexiq_nova/.
"""

from typing import Any

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
