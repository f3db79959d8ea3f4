"""What these tests share: calls of each provider, sync and async, that leave LiteLLM as it was."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import litellm
import litellm.utils
from litellm.litellm_core_utils import fallback_generalizations
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from support.plain_calls import MESSAGES, MODEL, PROVIDERS, Ask, answer
from support.recording import RecordingServer


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer(answer) as running:
        yield running


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, provider: str, server: RecordingServer) -> Ask:
    call = {"model": f"{provider}/{MODEL}", "messages": MESSAGES, "api_base": f"{server.url}/v1", "api_key": "key"}

    async def asked(**more: Any) -> Any:
        if request.param == "sync":
            return await asyncio.to_thread(litellm.completion, **call, **more)
        return await litellm.acompletion(**call, **more)

    return asked


@pytest.fixture(params=[(way, stream) for way in ("sync", "async") for stream in (False, True)], ids=repr)
def respond(request: pytest.FixtureRequest, provider: str, server: RecordingServer) -> Ask:
    """Makes a Responses call and returns its answer, that of the last event where it is streamed."""
    way, stream = request.param
    to = {"model": f"{provider}/{MODEL}", "api_base": f"{server.url}/v1", "api_key": "key"}
    call = {"input": "Hello", "stream": stream, **to}

    async def asked(**more: Any) -> Any:
        if way == "sync":
            got = await asyncio.to_thread(litellm.responses, **call, **more)
            return (await asyncio.to_thread(list, got))[-1].response if stream else got
        got = await litellm.aresponses(**call, **more)
        return [event async for event in got][-1].response if stream else got

    return asked


@pytest.fixture(autouse=True)
async def own_settings(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Every list that a test fills is its own, and no log entry of a call before it is still on its way."""
    await GLOBAL_LOGGING_WORKER.flush()
    monkeypatch.setattr(litellm, "model_cost", dict(litellm.model_cost))
    for name in ("callbacks", "input_callback", "success_callback", "failure_callback"):
        monkeypatch.setattr(litellm, name, [])
    for name in ("_async_input_callback", "_async_success_callback", "_async_failure_callback"):
        monkeypatch.setattr(litellm, name, [])
    monkeypatch.setattr(litellm.utils, "callback_list", [])
    litellm.utils._invalidate_model_cost_lowercase_map()
    rules = fallback_generalizations.get_fallback_generalization_rules()
    yield
    fallback_generalizations.set_fallback_generalizations(rules)
    litellm.utils._invalidate_model_cost_lowercase_map()
