"""Embeddings of the hosted provider against a real vLLM that serves all-MiniLM-L6-v2."""

import pytest
from engine.hosted import cosine, to

import litellm
from support.vllm_server import VLLMServer

DIMENSIONS = 384
HELLO_WORLD = [101, 7592, 2088, 102]
"""`[CLS] hello world [SEP]` in BERT's vocabulary."""


def vectors(response: litellm.EmbeddingResponse) -> list[list[float]]:
    assert [row["index"] for row in response.data] == list(range(len(response.data)))
    return [row["embedding"] for row in response.data]


@pytest.mark.parametrize("path", ["/v1", "/v1/", ""])
def test_text(embedding_server: VLLMServer, path: str) -> None:
    response = litellm.embedding(input="hello world", **to(embedding_server, path))

    (vector,) = vectors(response)
    assert len(vector) == DIMENSIONS
    assert cosine(vector, vector) == pytest.approx(1)
    assert response.usage.prompt_tokens == len(HELLO_WORLD)


async def test_async_list_in_order(embedding_server: VLLMServer) -> None:
    texts = [f"number {n}" for n in range(20)]

    together = vectors(await litellm.aembedding(input=texts, **to(embedding_server)))

    alone = vectors(litellm.embedding(input=texts[7], **to(embedding_server)))[0]
    assert len(together) == len(texts)
    assert max(range(len(texts)), key=lambda n: cosine(together[n], alone)) == 7
    assert cosine(together[7], alone) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("tokens", [HELLO_WORLD, [HELLO_WORLD]])
def test_tokens_are_the_text(embedding_server: VLLMServer, tokens: list) -> None:
    of_text = vectors(litellm.embedding(input="hello world", **to(embedding_server)))[0]

    (of_tokens,) = vectors(litellm.embedding(input=tokens, **to(embedding_server)))

    assert cosine(of_text, of_tokens) == pytest.approx(1, abs=1e-3)


def test_several_token_arrays(embedding_server: VLLMServer) -> None:
    first, second = vectors(litellm.embedding(input=[HELLO_WORLD, [101, 2054, 102]], **to(embedding_server)))

    assert cosine(first, second) < 0.99


def test_paraphrases_are_closer_than_strangers(embedding_server: VLLMServer) -> None:
    cat, paraphrase, bank = vectors(
        litellm.embedding(
            input=[
                "A cat is sleeping on the sofa.",
                "The kitten naps on the couch.",
                "The central bank raised interest rates.",
            ],
            **to(embedding_server),
        )
    )

    assert cosine(cat, paraphrase) > cosine(cat, bank) + 0.2


def test_base64_holds_the_same_vector(embedding_server: VLLMServer) -> None:
    import base64
    import struct

    floats = vectors(litellm.embedding(input="hello world", encoding_format="float", **to(embedding_server)))[0]

    (packed,) = vectors(litellm.embedding(input="hello world", encoding_format="base64", **to(embedding_server)))

    unpacked = packed if isinstance(packed, list) else struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(packed))
    assert list(unpacked) == pytest.approx(floats, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"api_key": "sk-wrong-4711"}, litellm.AuthenticationError),
        ({"model": "nobody/knows-it"}, litellm.NotFoundError),
    ],
)
async def test_errors(embedding_server: VLLMServer, change: dict, expected: type[Exception]) -> None:
    call = to(embedding_server)
    if "model" in change:
        change = {"model": call["model"].split("/")[0] + "/" + change["model"]}

    with pytest.raises(expected) as caught:
        await litellm.aembedding(input="hello", **{**call, **change})

    assert "sk-wrong-4711" not in str(caught.value)
    assert embedding_server.key not in str(caught.value)


def test_too_long(embedding_server: VLLMServer) -> None:
    with pytest.raises(litellm.BadRequestError) as caught:
        litellm.embedding(input="word " * 2000, **to(embedding_server))

    assert caught.value.status_code == 400
