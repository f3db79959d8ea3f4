"""With no base configured, no public function sends anything anywhere for `remodlai` or `lexiq_nova`.

OpenAI's key and base are set in the environment, as on many machines: they must not be used. A recording server
stands where OpenAI's base points; every other host is refused by the loopback guard, which remembers the attempt
even where LiteLLM swallows the error. No vLLM can be started either, so each call has to raise.
"""

import asyncio
import inspect
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from parity.public_calls import arguments, public_calls, ways_of_asking

import litellm
from support import loopback
from support.recording import RecordingServer, Response

CALLS = dict(public_calls())
PROVIDERS = ("remodlai", "lexiq_nova")
NO_SERVER = "no server is configured and vllm is not installed"
SECRET = "sk-openai-secret"

MODES = (
    *("chat", "completion", "embedding", "rerank", "audio_transcription", "audio_speech", "responses"),
    *("image_generation", "image_edit", "video_generation", "batch", "ocr", "search", "decisions", "realtime"),
)
"""What a health check can ask for."""

ASKS_NOBODY = {
    "acount_tokens": "counts on this machine",
    "batch_completion": "returns the exceptions, one per conversation",
    "batch_completion_models": "returns None where no model answered",
    "batch_completion_models_all_responses": "returns what the models answered: nothing",
    "_aresponses_websocket": "tells the error over the websocket",
}
"""Functions that return instead of raising, and why that is right."""

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def openai_server() -> Iterator[RecordingServer]:
    """Stands where OpenAI's base points, and answers everything."""
    with RecordingServer(lambda request: Response(json={"id": "leaked", "choices": [], "data": []})) as server:
        yield server


@pytest.fixture
def openai_configured(
    openai_server: RecordingServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[RecordingServer]:
    """OpenAI is configured, Lexiq Nova is not, and vLLM is not installed."""
    for name in os.environ:
        if name.endswith(("_API_BASE", "_API_KEY", "_BASE_URL")):
            monkeypatch.delenv(name)
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.setenv(name, f"{openai_server.url}/openai")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setattr("litellm.llms.remodlai.engine.engine.is_installed", lambda python: False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    logging.disable(logging.CRITICAL)
    openai_server.take()
    yield openai_server
    logging.disable(logging.NOTSET)


async def consumed(result: Any) -> Any:
    """What a call gives in the end: awaited, and its stream read."""
    if inspect.isawaitable(result):
        result = await asyncio.wait_for(result, 30)
    if hasattr(result, "__aiter__"):
        return [item async for item in result]
    if inspect.isgenerator(result) or isinstance(result, litellm.CustomStreamWrapper):
        return list(result)
    return result


def assert_nothing_sent(server: RecordingServer, asked: object = "") -> None:
    sent = [f"{request.method} {request.path}" for request in server.take()]
    refused = loopback.take()
    assert not sent, f"{asked}: sent to OpenAI's base: {sent}"
    assert not refused, f"{asked}: reached for {refused}"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("label", sorted(CALLS))
def test_sends_nothing(label: str, provider: str, openai_configured: RecordingServer) -> None:
    function = CALLS[label]
    ways = ways_of_asking(label, function)
    assert ways
    for way in ways:
        given = arguments(label, function, provider, way)
        try:
            asyncio.run(consumed(function(**given)))
            raised = False
        except Exception:
            raised = True
        assert_nothing_sent(openai_configured, given)
        assert raised or label.rpartition(".")[2] in ASKS_NOBODY, f"{label} by {way} returned"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("mode", MODES)
def test_health_check_sends_nothing(provider: str, mode: str, openai_configured: RecordingServer) -> None:
    answer = asyncio.run(litellm.ahealth_check(model_params={"model": f"{provider}/x"}, mode=mode))
    assert_nothing_sent(openai_configured)
    assert "error" in answer


@pytest.mark.parametrize("provider", PROVIDERS)
def test_model_listing_sends_nothing(provider: str, openai_configured: RecordingServer) -> None:
    assert litellm.get_valid_models(check_provider_endpoint=True, custom_llm_provider=provider) == []
    assert_nothing_sent(openai_configured)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_stream_sends_nothing(provider: str, openai_configured: RecordingServer) -> None:
    messages = [{"role": "user", "content": "hello"}]
    with pytest.raises(Exception, match=NO_SERVER):
        list(litellm.completion(model=f"{provider}/x", messages=messages, stream=True))
    with pytest.raises(Exception, match=NO_SERVER):
        list(litellm.text_completion(model=f"{provider}/x", prompt="hello", stream=True))
    assert_nothing_sent(openai_configured)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_router_sends_nothing(provider: str, openai_configured: RecordingServer) -> None:
    router = litellm.Router([{"model_name": "group", "litellm_params": {"model": f"{provider}/x"}}], num_retries=0)
    with pytest.raises(Exception, match=NO_SERVER):
        router.completion("group", [{"role": "user", "content": "hello"}])
    assert_nothing_sent(openai_configured)


KEYLESS: dict[str, dict[str, Any]] = {
    "completion": {"model": "{}/x", "messages": [{"role": "user", "content": "hello"}]},
    "text_completion": {"model": "{}/x", "prompt": "hello"},
    "embedding": {"model": "{}/x", "input": ["hello"]},
    "rerank": {"model": "{}/x", "query": "q", "documents": ["a"]},
    "responses": {"model": "{}/x", "input": "hello"},
    "file_list": {"custom_llm_provider": "{}"},
    "list_batches": {"custom_llm_provider": "{}"},
    "file_retrieve": {"custom_llm_provider": "{}", "file_id": "file-1"},
    "retrieve_batch": {"custom_llm_provider": "{}", "batch_id": "batch-1"},
}
"""Calls that reach a configured server; `{}` stands for the provider."""


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", sorted(KEYLESS))
def test_no_key_of_another_provider_is_sent(name: str, provider: str, openai_configured: RecordingServer) -> None:
    """With a base but no key of ours, OpenAI's key stays at home."""
    given = {key: value.format(provider) if isinstance(value, str) else value for key, value in KEYLESS[name].items()}
    with RecordingServer(lambda request: Response(status=400, json={"error": {"message": "no"}})) as ours:
        with pytest.raises(Exception, match="no"):
            getattr(litellm, name)(api_base=ours.url, **given)
        requests = ours.take()
    assert requests
    assert all(SECRET not in str(request.headers) for request in requests)
    assert_nothing_sent(openai_configured)
