"""An error of a call says which server was asked, where it was configured, and what is probably wrong with it."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import litellm
from support.nova import answer
from support.recording import RecordingServer, Response
from support.tls import authority

KEY = "sk-the-key-of-this-server"
MESSAGES = [{"role": "user", "content": "Hello"}]
CALLS: dict[str, Callable[..., Any]] = {
    "chat": lambda **call: litellm.completion(messages=MESSAGES, **call),
    "chat, async": lambda **call: asyncio.run(litellm.acompletion(messages=MESSAGES, **call)),
    "chat, streamed": lambda **call: list(litellm.completion(messages=MESSAGES, stream=True, **call)),
    "embedding": lambda **call: litellm.embedding(input=["a cat"], **call),
    "embedding, async": lambda **call: asyncio.run(litellm.aembedding(input=["a cat"], **call)),
    "rerank": lambda **call: litellm.rerank(query="a", documents=["b"], **call),
    "responses": lambda **call: litellm.responses(input="Hello", **call),
    "responses, async": lambda **call: asyncio.run(litellm.aresponses(input="Hello", **call)),
}
PROVIDERS = {"remodlai": "REMODLAI", "lexiq_nova": "LEXIQ_NOVA"}

every_call = pytest.mark.parametrize("call", CALLS)
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.fixture(autouse=True)
def nothing_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in PROVIDERS.values():
        monkeypatch.delenv(f"{prefix}_API_BASE", raising=False)
        monkeypatch.delenv(f"{prefix}_API_KEY", raising=False)


def error_of(call: str, provider: str, **more: Any) -> str:
    with pytest.raises(Exception) as raised:  # of LiteLLM's classes, by the kind of the fault
        CALLS[call](model=f"{provider}/m", **more)
    return str(raised.value)


@every_call
@every_provider
def test_nothing_listens(monkeypatch: pytest.MonkeyPatch, call: str, provider: str) -> None:
    with RecordingServer() as server:
        base = server.url  # a port that was just free again
    monkeypatch.setenv(f"{PROVIDERS[provider]}_API_BASE", base)
    told = error_of(call, provider)
    assert f"[{base}/v1 from {PROVIDERS[provider]}_API_BASE: nothing listens on that port" in told


@every_call
def test_a_certificate_of_an_unknown_authority(tmp_path: Path, call: str) -> None:
    with RecordingServer(tls=authority(tmp_path)[1]) as server:
        told = error_of(call, "remodlai", api_base=server.url)
    assert f"[{server.url}/v1 from the api_base of the call or deployment: " in told
    assert "SSL_CERT_FILE" in told


@every_call
def test_http_for_https(tmp_path: Path, call: str) -> None:
    with RecordingServer(tls=authority(tmp_path)[1]) as server:
        told = error_of(call, "remodlai", api_base=server.url.replace("https", "http"))
    assert "must begin with https://" in told


@every_call
def test_an_ipv6_address_without_brackets(call: str) -> None:
    assert "brackets" in error_of(call, "remodlai", api_base="http://::1:8000")


@every_call
def test_a_page_for_people(call: str) -> None:
    page = Response(status=502, body="<!DOCTYPE html><title>Bad Gateway</title>", headers={"content-type": "text/html"})
    with RecordingServer(lambda request: page) as server:
        told = error_of(call, "remodlai", api_base=server.url)
    assert 'a web page ("Bad Gateway")' in told


@every_call
@every_provider
def test_no_key(call: str, provider: str) -> None:
    with RecordingServer(lambda request: answer(request, KEY)) as server:
        told = error_of(call, provider, api_base=server.url)
        assert f"no key is set; give one by api_key= or litellm.{provider}_key or {PROVIDERS[provider]}_API_KEY" in told

        told = error_of(call, provider, api_base=server.url, api_key="sk-another-key")
        assert "no key is set" not in told and not re.search("sk-another-key", told)


def test_what_a_server_says_stays_as_it_is() -> None:
    said = {"error": {"message": "Connection refused by the model", "type": "InternalServerError", "code": 500}}
    with RecordingServer(lambda request: Response(status=500, json=said)) as server:
        told = error_of("chat", "remodlai", api_base=server.url, max_retries=0)
    assert "Connection refused by the model" in told and "nothing listens" not in told


@every_call
@every_provider
def test_no_server_and_no_vllm(monkeypatch: pytest.MonkeyPatch, call: str, provider: str) -> None:
    monkeypatch.setattr("litellm.llms.remodlai.engine.engine.is_installed", lambda python: False)
    told = error_of(call, provider)
    assert f"{provider}: no server is configured" in told and "pip install vllm" in told
    assert ("REMODLAI_API_BASE" in told) == (provider == "remodlai")
    assert told.count("no server is configured") == 1


def test_a_variable_of_the_other_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm.llms.remodlai.engine.engine.is_installed", lambda python: False)
    monkeypatch.setenv("REMODLAI_API_BASE", "https://api.lexiq-nova.com")
    told = error_of("chat", "lexiq_nova")
    assert "api_base=... or LEXIQ_NOVA_API_BASE" in told
    assert "REMODLAI_API_BASE is set, and only remodlai/ reads it" in told
