"""A base that is written oddly reaches the server where its meaning is plain, else one sentence names it."""

import re
from typing import Any

import httpx
import pytest
from edges.calls import EVERY_WAY, PROVIDERS, ask

import litellm
from litellm.llms.remodlai.bases import meant, wrong_base
from litellm.llms.remodlai.errors import LexiqNovaError
from support.recording import RecordingServer

every_provider = pytest.mark.parametrize("provider", PROVIDERS)
PLAIN = (
    " {url}/v1\n",
    '"{url}"',
    "'{url}/v1/'",
    "{host}",
    "{host}/v1",
    "{url}/v1/chat/completions",
    "{url}/v1/embeddings/",
    "{url}/v1/models",
)
WRONG = (
    ("http://127.0.0.1:1/v1?token=sk-secret", "http://127.0.0.1:1/v1?token=…", "no query"),
    ("http://127.0.0.1:1/#v1", "http://127.0.0.1:1/#v1", "no fragment"),
    ("vllm.internal:8000/v1", "vllm.internal:8000/v1", "no scheme"),
    ("http://127.0.0.1:port", "http://127.0.0.1:port", "no URL"),
    (8000, "8000", "no scheme"),
    ("ftp://api.example.com", "ftp://api.example.com", "its scheme must be"),
    ("''", "''", "no scheme"),
)


def asked(server: RecordingServer, provider: str, base: object) -> dict[tuple[str, bool, bool], list[str]]:
    """What each kind of call asks for, sent to a base."""
    targets = {}
    for way in EVERY_WAY:
        name, is_async, streamed = way
        with pytest.raises(Exception, match="refused|400 Bad Request"):
            ask(name, provider, is_async, streamed, api_base=base)
        targets[way] = [request.target for request in server.take()]
    return targets


@every_provider
def test_a_plain_meaning_works_on_every_endpoint(server: RecordingServer, provider: str) -> None:
    expected = asked(server, provider, f"{server.url}/v1")
    assert all(len(targets) == 1 for targets in expected.values())
    host = server.url.removeprefix("http://")
    spellings: list[object] = [spelling.format(url=server.url, host=host) for spelling in PLAIN]
    for spelling in (*spellings, httpx.URL(server.url)):
        assert asked(server, provider, spelling) == expected, spelling


@every_provider
@pytest.mark.parametrize(("base", "shown", "cause"), WRONG)
def test_anything_else_is_one_sentence_on_every_endpoint(provider: str, base: object, shown: str, cause: str) -> None:
    said = f"the base {re.escape(repr(shown))} from the api_base of the call or deployment cannot be used: .*{cause}"
    for name, is_async, streamed in EVERY_WAY:
        with pytest.raises(litellm.BadRequestError, match=said) as caught:
            ask(name, provider, is_async, streamed, api_base=base)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("place", ["REMODLAI_API_BASE", "LEXIQ_NOVA_API_BASE", "litellm.api_base"])
def test_it_says_where_the_base_came_from(server: RecordingServer, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    provider = "lexiq_nova" if place.startswith("LEXIQ") else "remodlai"

    def configure(base: Any) -> None:
        if place == "litellm.api_base":
            monkeypatch.setattr(litellm, "api_base", base)
        else:
            monkeypatch.setenv(place, str(base))

    configure("vllm.internal:8000")
    for name, is_async, streamed in EVERY_WAY:
        with pytest.raises(litellm.BadRequestError, match=f"'vllm.internal:8000' from {place} cannot be used"):
            ask(name, provider, is_async, streamed)
    with pytest.raises(LexiqNovaError, match=f"from {place} cannot be used"):
        litellm.utils.ProviderConfigManager.get_provider_model_info("", litellm.LlmProviders(provider)).get_models()
    configure(f'"{server.url}/v1/chat/completions" ')
    for name, is_async, streamed in EVERY_WAY:
        with pytest.raises(Exception, match="refused|400 Bad Request"):
            ask(name, provider, is_async, streamed)
        assert [request.path.count("/v1/") for request in server.take()] == [1]
    litellm.get_valid_models(check_provider_endpoint=True, custom_llm_provider=provider)
    assert [request.path for request in server.take()] == ["/v1/models"]


@pytest.mark.parametrize(
    ("base", "used"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("LOCALHOST/v1", "http://LOCALHOST/v1"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("0.0.0.0:8000", "http://0.0.0.0:8000"),
        ("https://host/openai/v1/audio/speech", "https://host/openai/v1"),
        ("https://host/chat/completions", "https://host/chat/completions"),
        ("https://host/v1/models/llama", "https://host/v1/models/llama"),
        ("https://host/v1/tenant/completions", "https://host/v1/tenant/completions"),
        ("https://user:word@host/v1", "https://user:word@host/v1"),
    ],
)
def test_what_is_meant(base: str, used: str) -> None:
    assert meant(base) == meant(used) == used
    assert wrong_base(base) is None


@pytest.mark.parametrize(
    ("base", "cause"),
    [
        ("api.example.com", "no scheme"),
        ("localhost.example.com:8000", "no scheme"),
        ("ftp://host/v1", "its scheme must be"),
        ("http:/host/v1", "no scheme"),
        ("http://::1:8000/v1", "brackets"),
        ("http://fe80::1:8000/v1", "brackets"),
        ("http://[::1", "no URL"),
        ("http://:8000/v1", "no host"),
        ("http://localhost:port/v1", "no URL"),
    ],
)
def test_what_is_wrong(base: str, cause: str) -> None:
    assert cause in str(wrong_base(base))
