"""Embeddings and rerank."""

import base64
import struct
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from parity import answers as a
from parity.answers import some
from parity.endpoints.common import (
    called,
    given,
    merged,
)

LARGE = [["a"] * 20, [[1, 2]] * 16]
EMBEDDING_INPUTS = ["one", ["one", "zwei"], [1, 2, 3], [[1, 2], [3]], [], "", [{"text": "object"}], *LARGE, *LARGE]


def vector(values: list[float], encoded: bool) -> Any:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if encoded else values


def embedding_bodies(encoded: bool) -> SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda vectors, more: (
            {"object": "list", "model": "served"}
            | {
                "data": [
                    {"object": "embedding", "index": i, "embedding": vector(v, encoded)} for i, v in enumerate(vectors)
                ]
            }
            | more
        ),
        st.lists(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=4), max_size=3),
        some(
            usage=st.just({"prompt_tokens": 4, "total_tokens": 4}) | st.none(), id=st.just("embd-1"), created=a.CREATED
        ),
    )


embedding = called(
    "embeddings",
    ("embedding", "aembedding"),
    merged(
        some(
            3,
            encoding_format=st.sampled_from(["float", "base64"]),
            dimensions=st.sampled_from([16, 2]),
            extra_body=st.just({"truncate_prompt_tokens": 8}),
            num_retries=st.integers(0, 1),
            truncate_prompt_tokens=st.just(3),
            allowed_openai_params=st.just(["truncate_prompt_tokens"]),
        ),
        given(input=st.sampled_from(EMBEDDING_INPUTS)),
    ),
    lambda params: a.bodies(embedding_bodies(params.get("encoding_format") == "base64")),
    router=("embedding", "aembedding"),
)

rerank_bodies = st.builds(
    lambda order, documents, more: (
        {"id": "rerank-1", "model": "m"}
        | {
            "results": [
                {"index": index, "relevance_score": 1 / (rank + 2)}
                | ({"document": {"text": f"d{index}", "multi_modal": None}} if documents else {})
                for rank, index in enumerate(order)
            ]
        }
        | more
    ),
    st.permutations([0, 1]),
    st.booleans(),
    some(usage=st.sampled_from([{"total_tokens": 7}, {"prompt_tokens": 5, "total_tokens": 7}, None])),
)

rerank = called(
    "rerank",
    ("rerank", "arerank"),
    merged(
        some(
            4,
            top_n=st.integers(1, 3),
            rank_fields=st.just(["text"]),
            return_documents=st.booleans(),
            max_tokens_per_doc=st.just(64),
            instruction=st.just("find"),
            truncate_prompt_tokens=st.sampled_from([8, "no"]),
            num_retries=st.integers(0, 1),
        ),
        st.sampled_from([{}] * 9 + [{"max_chunks_per_doc": 2}]),
        given(
            query=st.sampled_from(["what", ""]),
            documents=st.sampled_from(
                [["a", "b"], [{"text": "a"}, {"text": "b", "title": "t"}], [{"image": "x"}, "b"], []]
            ),
        ),
    ),
    lambda params: a.bodies(rerank_bodies),
    router=("arerank",),
)
