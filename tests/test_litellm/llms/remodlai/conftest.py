"""
What the tests of the remodlai and lexiq_nova providers share: an environment in which every other provider is
configured, and a wire that answers instead of the network.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import litellm

OWN_VARIABLES = (
    "REMODLAI_API_BASE",
    "REMODLAI_API_KEY",
    "LEXIQ_NOVA_API_BASE",
    "LEXIQ_NOVA_API_KEY",
    "LEXIQ_NOVA_PYTHON",
)
# Where a call would go that fell back to another provider, and what it would give away there.
FOREIGN_VARIABLES = {
    "OPENAI_API_KEY": "sk-openai-secret",
    "OPENAI_BASE_URL": "https://openai.invalid/v1",
    "OPENAI_API_BASE": "https://openai.invalid/v1",
    "HOSTED_VLLM_API_KEY": "sk-vllm-secret",
    "HOSTED_VLLM_API_BASE": "https://vllm.invalid/v1",
}


@pytest.fixture(autouse=True)
def only_other_providers_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in FOREIGN_VARIABLES.items():
        monkeypatch.setenv(name, value)
    for name in ("api_base", "api_key", "remodlai_key", "lexiq_nova_key"):
        monkeypatch.setattr(litellm, name, None)
    monkeypatch.setattr(litellm, "openai_key", "sk-openai-secret")


@pytest.fixture
def without_vllm(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """As on a machine without vLLM; what an interpreter has installed is asked once, so each test has its own."""
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.setattr(sys, "executable", f"/nowhere/{request.node.name}/python")


class Wire:
    """Every HTTP request of this process, answered by `answer`."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda request: httpx.Response(500)

    def answers(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """From now on, answer each request with this JSON body."""
        self.answer = lambda request: httpx.Response(status, json=body, headers=headers, request=request)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    def body(self) -> Any:
        """The JSON body of the last request."""
        return json.loads(self.last.content)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    wire = Wire()

    def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        request.read()
        return wire.handle(request)

    async def handle_async(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return wire.handle(request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async)
    monkeypatch.setattr(litellm, "disable_aiohttp_transport", True)
    litellm.in_memory_llm_clients_cache.flush_cache()
    yield wire
    litellm.in_memory_llm_clients_cache.flush_cache()
