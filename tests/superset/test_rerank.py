"""Rerank's `instruction` reaches the server."""

import asyncio
from typing import Any

import pytest
from superset.conftest import RERANKER
from superset.ways import KEY, Asking

import litellm

QUERY = {"query": "capital of France", "documents": ["Paris", "Rome", "Bern"], "instruction": "Prefer cities."}


def _proxy(asking: Asking) -> Any:
    with asking.proxy.client() as client:
        answer = client.post("/v1/rerank", json={"model": RERANKER, **QUERY})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def _own(asking: Asking) -> dict[str, Any]:
    return {"model": f"remodlai/{RERANKER}", "api_base": asking.server.url, "api_key": KEY, **QUERY}


WAYS: dict[str, Any] = {
    "rerank": lambda asking: litellm.rerank(**_own(asking)).results,
    "arerank": lambda asking: asyncio.run(litellm.arerank(**_own(asking))).results,
    "Router.arerank": lambda asking: asyncio.run(asking.router.arerank(RERANKER, **QUERY)).results,
    "proxy": _proxy,
}


@pytest.mark.parametrize("way", WAYS)
def test_instruction_reaches_the_server(asking: Asking, way: str) -> None:
    results = WAYS[way](asking)
    (request,) = asking.posted()
    assert {name: request.json()[name] for name in QUERY} == QUERY
    assert [result["index"] for result in results] == [0, 1]
