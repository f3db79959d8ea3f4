"""Rerank of the hosted provider against real vLLMs.

all-MiniLM judges by the cosine of embeddings, so what is relevant can be tested on it; the cross-encoder's weights
are random, so on it only the protocol is.
"""

import pytest
from engine.hosted import to

import litellm
from support.vllm_server import VLLMServer

QUERY = "What is the capital of France?"
DOCUMENTS = [
    "The central bank raised interest rates.",
    "Paris is the capital and largest city of France.",
    "A cat is sleeping on the sofa.",
]


def check(response: litellm.RerankResponse, results: int) -> None:
    """What holds whatever the model thinks: each document at most once, best first."""
    scores = [result["relevance_score"] for result in response.results]
    assert len(scores) == results
    assert scores == sorted(scores, reverse=True)
    assert len({result["index"] for result in response.results}) == results


@pytest.mark.parametrize("path", ["/v1", ""])
def test_relevant_document_is_first(embedding_server: VLLMServer, path: str) -> None:
    response = litellm.rerank(query=QUERY, documents=DOCUMENTS, top_n=2, **to(embedding_server, path))

    check(response, results=2)
    assert response.results[0]["index"] == 1
    assert response.results[0]["relevance_score"] > response.results[1]["relevance_score"] + 0.2


async def test_async_and_documents_returned(embedding_server: VLLMServer) -> None:
    response = await litellm.arerank(query=QUERY, documents=DOCUMENTS, return_documents=True, **to(embedding_server))

    check(response, results=3)
    assert [result["document"]["text"] for result in response.results][0] == DOCUMENTS[1]


def test_refusal_of_the_server(embedding_server: VLLMServer) -> None:
    # Documents as objects are sent as they are. vLLM takes none of Cohere's form, and none at all with a BERT.
    with pytest.raises(litellm.BadRequestError, match="documents"):
        litellm.rerank(query=QUERY, documents=[{"text": text} for text in DOCUMENTS], **to(embedding_server))


def test_cross_encoder(rerank_server: VLLMServer) -> None:
    response = litellm.rerank(query=QUERY, documents=DOCUMENTS, top_n=2, **to(rerank_server))

    check(response, results=2)
    assert all(0 <= result["relevance_score"] <= 1 for result in response.results)
    assert response.meta["billed_units"]["total_tokens"] > 0


async def test_cross_encoder_scores_a_pair_the_same_alone(rerank_server: VLLMServer) -> None:
    together = await litellm.arerank(query=QUERY, documents=DOCUMENTS, **to(rerank_server))
    alone = await litellm.arerank(query=QUERY, documents=DOCUMENTS[:1], **to(rerank_server))

    scores = {result["index"]: result["relevance_score"] for result in together.results}
    assert scores[0] == pytest.approx(alone.results[0]["relevance_score"], abs=1e-3)


def test_wrong_key(rerank_server: VLLMServer) -> None:
    # vLLM guards the paths under /v1; a base that ends there reaches /v1/rerank.
    with pytest.raises(litellm.AuthenticationError) as caught:
        litellm.rerank(query=QUERY, documents=DOCUMENTS, **{**to(rerank_server), "api_key": "sk-wrong-4711"})

    assert "sk-wrong-4711" not in str(caught.value)
