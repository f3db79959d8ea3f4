"""
The other endpoints of remodlai/ and lexiq_nova/: speech, pictures, videos, decisions, messages and pass-through. Each
reaches the server that was named, with its key, whichever form the base has; and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

import litellm
from litellm.llms.remodlai.common_utils import HostedLexiqNova
from litellm.types.utils import LlmProviders
from litellm.utils import ProviderConfigManager

KEY = "sk-nova-secret"
WAV = ("speech.wav", b"RIFF\x24\x00\x00\x00WAVE", "audio/wav")
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16
VIDEO = {"id": "video_1", "object": "video", "created_at": 1, "status": "queued", "model": "m", "progress": 0}
MESSAGE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
CHAT = [{"role": "user", "content": "Hello"}]


@dataclass(frozen=True)
class Endpoint:
    """One function of litellm, the path below the base that it asks, what the server answers and what comes back."""

    call: Callable[..., Any]
    arguments: Mapping[str, Any]
    path: str
    answer: Any
    read: Callable[[Any], Any]
    expected: Any
    in_body: tuple[bytes, ...] = field(default=(b"m",))


ENDPOINTS = {
    "transcription": Endpoint(
        litellm.transcription, {"file": WAV}, "/audio/transcriptions", {"text": "hello"}, lambda r: r.text, "hello"
    ),
    "image_edit": Endpoint(
        litellm.image_edit,
        {"image": PNG, "prompt": "bluer"},
        "/images/edits",
        {"created": 1, "data": [{"b64_json": "AA=="}]},
        lambda r: r.data[0].b64_json,
        "AA==",
        (b"bluer", PNG),
    ),
    "video": Endpoint(
        litellm.video_generation,
        {"prompt": "a cat", "seconds": "4", "fps": 8},
        "/videos",
        VIDEO,
        lambda r: r.status,
        "queued",
        (b"a cat", b'name="fps"'),
    ),
    "decisions": Endpoint(
        litellm.decisions,
        {"input": "text", "questions": [{"type": "predicate", "name": "q0", "instructions": "Is it good?"}]},
        "/systemone",
        {"model": "m", "answers": {"q0": {"type": "noul", "noul": 0.5}}},
        lambda r: r.answers[0].probability,
        0.5,
        (b"Is it good?",),
    ),
    "messages": Endpoint(
        litellm.anthropic.messages.create,
        {"messages": CHAT, "max_tokens": 9},
        "/chat/completions",
        MESSAGE,
        lambda r: r["content"][0]["text"],
        "Hi",
        (b"Hello",),
    ),
}


def ask(wire: Any, name: str, provider: str = "remodlai", **call: Any) -> Any:
    endpoint = ENDPOINTS[name]
    wire.answers(endpoint.answer)
    call = {"api_base": "https://nova.example", "api_key": KEY, **endpoint.arguments, **call}
    return endpoint.call(model=f"{provider}/m", **call)


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize("base", ["https://host/v1", "https://host", "https://host/openai/v1/"])
@pytest.mark.parametrize("name", ENDPOINTS)
def test_remodlai_endpoint_reaches_the_server(wire: Any, name: str, base: str, provider: str) -> None:
    endpoint = ENDPOINTS[name]
    response = ask(wire, name, provider, api_base=base)
    root = base.rstrip("/")
    root = root if root.endswith("/v1") else f"{root}/v1"
    assert (wire.last.method, str(wire.last.url)) == ("POST", root + endpoint.path)
    assert wire.last.headers["authorization"] == f"Bearer {KEY}"
    assert all(part in wire.last.content for part in endpoint.in_body)
    assert endpoint.read(response) == endpoint.expected


@pytest.mark.parametrize("name", ENDPOINTS)
def test_remodlai_endpoint_never_sends_another_providers_key(wire: Any, name: str) -> None:
    ask(wire, name, api_key=None)
    assert wire.last.headers.get("authorization", "Bearer fake-api-key") == "Bearer fake-api-key"


@pytest.mark.parametrize("name", ENDPOINTS)
def test_remodlai_endpoint_reads_the_environment(wire: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMODLAI_API_BASE", "https://from.environment")
    monkeypatch.setenv("REMODLAI_API_KEY", KEY)
    ask(wire, name, api_base=None, api_key=None)
    assert str(wire.last.url) == f"https://from.environment/v1{ENDPOINTS[name].path}"
    assert wire.last.headers["authorization"] == f"Bearer {KEY}"


# Errors of transcriptions are the openai package's own and those of messages Anthropic's, as for hosted_vllm.
@pytest.mark.parametrize("name", ["image_edit", "video", "decisions"])
def test_remodlai_endpoint_error_names_the_provider_and_not_the_key(wire: Any, name: str) -> None:
    endpoint = ENDPOINTS[name]
    wire.answers({"error": {"message": "slow down"}}, 429)
    with pytest.raises(litellm.RateLimitError, match="slow down") as caught:
        endpoint.call(
            model="remodlai/m", api_base="https://nova.example", api_key=KEY, max_retries=0, **endpoint.arguments
        )
    assert caught.value.llm_provider == "remodlai"
    assert KEY not in f"{caught.value} {caught.value!r}"


CONFIGS = (
    ProviderConfigManager.get_provider_image_edit_config,
    ProviderConfigManager.get_provider_video_config,
    ProviderConfigManager.get_provider_passthrough_config,
    ProviderConfigManager.get_provider_decisions_config,
    ProviderConfigManager.get_provider_model_info,
)


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize("get", CONFIGS, ids=lambda get: get.__name__.removeprefix("get_provider_"))
def test_remodlai_config_of_each_endpoint(get: Callable[..., Any], provider: str) -> None:
    config = get(model="m", provider=LlmProviders(provider))
    assert isinstance(config, HostedLexiqNova)
    assert config.provider == provider


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("v1/chat/completions", "https://host/v1/chat/completions"),
        ("tokenize", "https://host/tokenize"),
        ("/score", "https://host/score"),
    ],
)
@pytest.mark.parametrize("base", ["https://host", "https://host/v1"])
def test_remodlai_passthrough(wire: Any, base: str, endpoint: str, url: str, provider: str) -> None:
    wire.answers({"tokens": [1, 2]})
    response = litellm.llm_passthrough_route(
        method="POST",
        endpoint=endpoint,
        model=f"{provider}/m",
        api_base=base,
        api_key=KEY,
        json={"model": "m", "prompt": "Hello"},
    )
    assert isinstance(response, httpx.Response)
    assert response.json() == {"tokens": [1, 2]}
    assert (str(wire.last.url), wire.last.headers["authorization"]) == (url, f"Bearer {KEY}")
