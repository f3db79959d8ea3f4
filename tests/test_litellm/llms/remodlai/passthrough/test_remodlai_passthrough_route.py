"""
The proxy's route /remodlai/{endpoint}: where a request goes, what comes back, and what is refused.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from litellm.llms.remodlai.passthrough.endpoints import router
from litellm.proxy._types import UserAPIKeyAuth
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

BASE = "https://nova.example"
KEY = "sk-nova-secret"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("REMODLAI_API_BASE", BASE)
    monkeypatch.setenv("REMODLAI_API_KEY", KEY)
    app = FastAPI()
    app.include_router(router)
    app.dependency_overrides[user_api_key_auth] = lambda: UserAPIKeyAuth(api_key="sk-caller")
    with TestClient(app) as running:
        yield running


@pytest.mark.parametrize("endpoint", ["tokenize", "v1/embeddings"])
def test_a_request_and_its_answer_pass_through(wire: Any, client: TestClient, endpoint: str) -> None:
    wire.answers({"count": 2})
    answer = client.post(f"/remodlai/{endpoint}", json={"model": "m", "prompt": "Hello"})
    assert (answer.status_code, answer.json()) == (200, {"count": 2})
    assert str(wire.last.url) == f"{BASE}/{endpoint}"
    assert wire.last.headers["authorization"] == f"Bearer {KEY}"
    assert wire.body() == {"model": "m", "prompt": "Hello"}


def test_an_error_keeps_its_status_and_shows_no_key(wire: Any, client: TestClient) -> None:
    wire.answers({"error": {"message": f"the key {KEY} may not do this"}}, 403)
    answer = client.post("/remodlai/tokenize", json={"model": "m"})
    assert answer.status_code == 403
    assert "may not do this" in answer.text and KEY not in answer.text


@pytest.mark.parametrize("endpoint", ["..%2Fadmin", "v1/..%2F..%2Fadmin", "%2e%2e/admin"])
def test_a_path_that_leaves_the_base_is_refused(wire: Any, client: TestClient, endpoint: str) -> None:
    answer = client.post(f"/remodlai/{endpoint}", json={"model": "m"})
    assert answer.status_code in (400, 404)
    assert wire.requests == []
