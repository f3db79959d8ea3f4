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


@pytest.fixture
def responses_call(to: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a Responses call whose server streams."""
    # LiteLLM asks for a whole answer where no price list says that a model streams.
    provider = to["model"].split("/")[0]
    litellm.register_model({to["model"]: {"litellm_provider": provider, "supports_native_streaming": True}})
    return {"input": "Hello", "stream": True, **to}


@pytest.fixture(autouse=True)
def own_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "model_cost", dict(litellm.model_cost))
