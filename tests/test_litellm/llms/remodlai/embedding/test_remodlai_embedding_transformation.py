"""
Embeddings of remodlai/ and lexiq_nova/.
"""

from typing import Any

import pytest

import litellm

BASE = "https://nova.example"
KEY = "sk-nova-secret"


def answer(count: int) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": [float(index), 0.5]} for index in range(count)]
    usage = {"prompt_tokens": 4, "total_tokens": 4, "completion_tokens": 0}
    return {"object": "list", "model": "served", "data": data, "usage": usage}


def embed(given: Any, provider: str = "remodlai", **call: Any) -> Any:
    return litellm.embedding(model=f"{provider}/m", input=given, **{"api_base": BASE, "api_key": KEY, **call})


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://host", "https://host/v1/embeddings"),
        ("https://host/v1/", "https://host/v1/embeddings"),
        ("https://host/openai/v1", "https://host/openai/v1/embeddings"),
    ],
)
def test_remodlai_embedding_url(wire: Any, provider: str, base: str, url: str) -> None:
    wire.answers(answer(1))
    embed("text", provider, api_base=base)
    assert str(wire.last.url) == url
    assert wire.last.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("given", "sent", "count"),
    [
        ("text", ["text"], 1),
        (["a", "b"], ["a", "b"], 2),
        ([1, 2, 3], [1, 2, 3], 1),
        ([[1, 2], [3]], [[1, 2], [3]], 2),
    ],
)
def test_remodlai_embedding_inputs(wire: Any, given: Any, sent: Any, count: int) -> None:
    wire.answers(answer(count))
    response = embed(given)
    assert (wire.body()["model"], wire.body()["input"]) == ("m", sent)
    assert [item["embedding"] for item in response.data] == [[float(index), 0.5] for index in range(count)]
    assert response.usage.prompt_tokens == 4


def test_remodlai_embedding_parameters(wire: Any) -> None:
    wire.answers(answer(1))
    embed("text", dimensions=2, encoding_format="float", user="me")
    body = wire.body()
    assert (body["dimensions"], body["encoding_format"], body["user"]) == (2, "float", "me")


def test_remodlai_embedding_model_may_be_called_anything(wire: Any) -> None:
    wire.answers(answer(1))
    litellm.embedding(model="remodlai/hosted_vllm/m", input="text", api_base=BASE)
    assert wire.body()["model"] == "hosted_vllm/m"


def test_remodlai_embedding_without_a_key_sends_none(wire: Any) -> None:
    wire.answers(answer(1))
    embed("text", api_key=None)
    assert "authorization" not in wire.last.headers


@pytest.mark.asyncio
async def test_remodlai_async_embedding(wire: Any) -> None:
    wire.answers(answer(1))
    response = await litellm.aembedding(model="remodlai/m", input="text", api_base=BASE, api_key=KEY)
    assert response.data[0]["embedding"] == [0.0, 0.5]


def test_remodlai_embedding_error(wire: Any) -> None:
    wire.answers({"error": {"message": "The model `m` does not exist."}}, 404)
    with pytest.raises(litellm.NotFoundError) as caught:
        embed("text", max_retries=0)
    assert caught.value.llm_provider == "remodlai"
    assert KEY not in str(caught.value)
