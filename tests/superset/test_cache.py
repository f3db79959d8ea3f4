"""LiteLLM's cache keeps apart what the superset's parameters make different."""

from typing import Any

import pytest
from superset.conftest import RERANKER
from superset.ways import IN_PYTHON, KEY, Asking

import litellm

DIFFERENT: list[dict[str, Any]] = [
    {},
    {"task": "code"},
    {"task": "code.query"},
    {"instructions": "Find code."},
    {"return_multivector": True},
    {"dimensions": 64},
    {"adapter": "legal-v2"},
    {"image": "https://pictures.example/cat.png"},
    {"image": b"cat"},
    {"image_embeds": [[0.25, -0.5]]},
    {"extra_body": {"task": "retrieval"}},
]


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("input_callback", "success_callback", "_async_success_callback"):
        monkeypatch.setattr(litellm, name, [])  # where a cache enters itself
    monkeypatch.setattr(litellm, "cache", litellm.Cache(type="local"))


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("way", ["embedding", "Router.embedding"])
def test_each_variant_is_asked_once(asking: Asking, way: str) -> None:
    for _ in range(2):
        for parameters in DIFFERENT:
            IN_PYTHON[way](asking, ["one"], {**parameters, "caching": True})
    assert len(asking.posted()) == len(DIFFERENT)


@pytest.mark.usefixtures("cache")
def test_each_instruction_is_asked_once(asking: Asking) -> None:
    for _ in range(2):
        for instruction in ("Prefer cities.", "Prefer rivers."):
            call = {"query": "Rhine", "documents": ["Basel", "Rhine"], "instruction": instruction}
            litellm.rerank(f"remodlai/{RERANKER}", **call, api_base=asking.server.url, api_key=KEY)
    assert len(asking.posted()) == 2
