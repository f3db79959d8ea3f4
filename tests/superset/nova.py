"""A Nova embedding server without a model: vectors that can be told apart, in the form that the request asks for."""

import base64
import random
import struct
from typing import Any

from support.recording import Request, Response

SIZE = 128
TOKENS = 3


def vector(*of: Any) -> list[float]:
    """A vector of 32-bit floats that `of` decides."""
    numbers = random.Random(repr(of))
    return list(struct.unpack(f"<{SIZE}f", struct.pack(f"<{SIZE}f", *(numbers.gauss(0, 0.1) for _ in range(SIZE)))))


def encoded(floats: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(floats)}f", *floats)).decode()


def expected(asked: dict[str, Any]) -> list[Any]:
    """What the server answers to a request: one vector for each input, or one for each of its tokens."""
    inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    if asked.get("return_multivector"):
        return [[vector(given, token) for token in range(TOKENS)] for given in inputs]
    if asked.get("encoding_format") == "base64":
        return [encoded(vector(given)) for given in inputs]
    return [vector(given) for given in inputs]


def embeddings(asked: dict[str, Any]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": i, "embedding": answer} for i, answer in enumerate(expected(asked))]
    usage = {"prompt_tokens": 2 * len(data), "total_tokens": 2 * len(data)}
    return {"object": "list", "model": asked["model"], "data": data, "usage": usage}


def rerank(asked: dict[str, Any]) -> dict[str, Any]:
    documents = asked["documents"]
    results = [{"index": i, "relevance_score": 1 / (1 + i), "document": {"text": documents[i]}} for i in range(2)]
    return {"id": "rerank-1", "model": asked["model"], "usage": {"total_tokens": 9}, "results": results}


ROUTES = {"/v1/embeddings": embeddings, "/v1/rerank": rerank}


def answer(request: Request) -> Response:
    if request.path not in ROUTES:
        return Response(404, json={"detail": "Not Found"})
    return Response(json=ROUTES[request.path](request.json()))
