"""
Rerank of remodlai/ and lexiq_nova/.
"""

from typing import Any

import pytest

import litellm

BASE = "https://nova.example"
KEY = "sk-nova-secret"
DOCUMENTS = ["Berlin is in Germany.", "Paris is the capital of France.", "Cats purr."]
ANSWER = {
    "id": "rerank-1",
    "model": "m",
    "usage": {"total_tokens": 30},
    "results": [
        {"index": 1, "document": {"text": DOCUMENTS[1]}, "relevance_score": 0.9},
        {"index": 0, "document": {"text": DOCUMENTS[0]}, "relevance_score": 0.2},
    ],
}


def rerank(provider: str = "remodlai", **call: Any) -> Any:
    call = {"query": "capital of France", "documents": DOCUMENTS, "api_base": BASE, "api_key": KEY, **call}
    return litellm.rerank(model=f"{provider}/m", **call)


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://host", "https://host/v1/rerank"),
        ("https://host/v1/", "https://host/v1/rerank"),
        ("https://host/openai/v1", "https://host/openai/v1/rerank"),
    ],
)
def test_remodlai_rerank_url(wire: Any, provider: str, base: str, url: str) -> None:
    wire.answers(ANSWER)
    rerank(provider, api_base=base)
    assert str(wire.last.url) == url
    assert wire.last.headers["authorization"] == f"Bearer {KEY}"


def test_remodlai_rerank_request_and_answer(wire: Any) -> None:
    wire.answers(ANSWER)
    response = rerank(top_n=2)
    body = wire.body()
    assert {name: body[name] for name in ("model", "query", "documents", "top_n")} == {
        "model": "m",
        "query": "capital of France",
        "documents": DOCUMENTS,
        "top_n": 2,
    }
    assert [(result["index"], result["relevance_score"]) for result in response.results] == [(1, 0.9), (0, 0.2)]
    assert response.results[0]["document"]["text"] == DOCUMENTS[1]
    assert response.meta["billed_units"]["total_tokens"] == 30


def test_remodlai_rerank_instruction_reaches_the_server(wire: Any) -> None:
    wire.answers(ANSWER)
    rerank(instruction="Prefer official sources.")
    assert wire.body()["instruction"] == "Prefer official sources."


@pytest.mark.asyncio
async def test_remodlai_async_rerank(wire: Any) -> None:
    wire.answers(ANSWER)
    response = await litellm.arerank(
        model="remodlai/m", query="capital of France", documents=DOCUMENTS, api_base=BASE, api_key=KEY
    )
    assert response.results[0]["index"] == 1


def test_remodlai_rerank_never_sends_another_providers_key(wire: Any) -> None:
    wire.answers(ANSWER)
    rerank(api_key=None)
    assert wire.last.headers["authorization"] == "Bearer fake-api-key"


def test_remodlai_rerank_refuses_what_hosted_vllm_refuses() -> None:
    with pytest.raises(Exception, match="max_chunks_per_doc"):
        rerank(max_chunks_per_doc=3)


def test_remodlai_rerank_error(wire: Any) -> None:
    wire.answers({"error": {"message": "Unauthorized"}}, 401)
    with pytest.raises(litellm.AuthenticationError) as caught:
        rerank()
    assert caught.value.llm_provider == "remodlai"
    assert KEY not in str(caught.value)
