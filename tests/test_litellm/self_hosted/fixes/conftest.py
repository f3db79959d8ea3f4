"""What the tests of the fixes share: a recording server, and calls of every provider that reach it."""

from collections.abc import Iterator
from typing import Any

import pytest

import litellm
from support.recording import RecordingServer

PROVIDERS = ["remodlai", "lexiq_nova", "hosted_vllm"]


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture(params=PROVIDERS)
def to(request: pytest.FixtureRequest, server: RecordingServer) -> dict[str, Any]:
    """The arguments of a call that reaches the server."""
    return {"model": f"{request.param}/m", "api_base": f"{server.url}/v1", "api_key": "key"}


@pytest.fixture(autouse=True)
def own_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "model_cost", dict(litellm.model_cost))
