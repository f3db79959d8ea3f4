"""A redirect never takes a call to a server that nobody named, and never to the local engine."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from edges.calls import EVERY_WAY, KEY, PROVIDERS, ask, base

import litellm
from litellm.litellm_core_utils.redirects import is_same_server
from litellm.llms.remodlai.engine import transport
from support import loopback
from support.recording import RecordingServer, Request, Response

every_way = pytest.mark.parametrize(("name", "is_async", "streamed"), EVERY_WAY)
every_provider = pytest.mark.parametrize("provider", PROVIDERS)
REFUSAL = {"error": {"message": "the call arrived", "type": "BadRequestError", "param": None, "code": 400}}


@pytest.fixture(autouse=True)
def new_clients() -> Iterator[None]:
    litellm.in_memory_llm_clients_cache.flush_cache()
    yield
    litellm.in_memory_llm_clients_cache.flush_cache()


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def other() -> Iterator[RecordingServer]:
    with RecordingServer(lambda request: Response(400, json=REFUSAL)) as running:
        yield running


def to(location: str, status: int = 307) -> Callable[[Request], Response]:
    """Redirects what was posted; a call that arrives at `/v1/moved` is refused by the server in its own words."""

    def respond(request: Request) -> Response:
        if request.path == "/v1/moved":
            return Response(400, json=REFUSAL)
        return Response(status, headers={"location": location}, body="gone elsewhere")

    return respond


@every_way
@every_provider
def test_another_server_is_not_asked(
    server: RecordingServer, other: RecordingServer, provider: str, name: str, is_async: bool, streamed: bool
) -> None:
    server.responder = to(f"{other.url}/v1/moved")
    with pytest.raises(Exception, match=re.escape(other.url)) as caught:
        ask(name, provider, is_async, streamed, api_base=base(server))
    assert server.url in str(caught.value)
    assert KEY not in f"{caught.value!r}"
    assert getattr(caught.value, "status_code", None) == 502
    assert other.requests == []
    assert len(server.take()) == 1


@every_way
def test_the_same_server_is_asked_at_its_new_path(
    server: RecordingServer, name: str, is_async: bool, streamed: bool
) -> None:
    server.responder = to("/v1/moved")
    with pytest.raises(Exception) as caught:  # of any class that LiteLLM has for status 400
        ask(name, "remodlai", is_async, streamed, api_base=base(server))
    assert getattr(caught.value, "status_code", None) == 400
    first, second = server.take()
    assert (second.path, second.body) == ("/v1/moved", first.body)
    assert second.header("authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize("is_async", [False, True])
def test_other_providers_follow_as_before(server: RecordingServer, other: RecordingServer, is_async: bool) -> None:
    server.responder = to(f"{other.url}/v1/moved")
    for provider, followed in (("remodlai", 0), ("hosted_vllm", 1), ("lexiq_nova", 0), ("hosted_vllm", 1)):
        with pytest.raises(litellm.BadGatewayError if not followed else litellm.BadRequestError):
            ask("completion", provider, is_async, api_base=base(server))
        assert len(other.take()) == followed, provider


LOCATIONS = (
    "//127.0.0.1:1/v1/moved",
    "HTTP://127.0.0.1:1/v1/moved",
    "http://localhost:{port}/v1/moved",
    "http://[::1]:{port}/v1/moved",
    "http://127.0.0.1:{port}@127.0.0.1:1/v1/moved",
    "http://name:secret@127.0.0.1:{port}/v1/moved",
    "https://127.0.0.1:{port}/v1/moved",
    "http://169.254.169.254/latest/meta-data",
    "http:///v1/moved",
    "http://[/",
    "file:///etc/passwd",
    "lexiq-nova://local/v1/chat/completions",
    "LEXIQ-NOVA:///v1/chat/completions",
)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("location", LOCATIONS)
def test_no_spelling_of_another_server_is_followed(server: RecordingServer, location: str, is_async: bool) -> None:
    server.responder = to(location.format(port=server.port))
    with pytest.raises(litellm.BadGatewayError, match="redirected this call to") as caught:
        ask("completion", "remodlai", is_async, api_base=base(server))
    assert "secret" not in str(caught.value).replace("secret prompt", "")
    assert len(server.take()) == 1
    assert loopback.take() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_whatever_the_status(server: RecordingServer, other: RecordingServer, status: int) -> None:
    server.responder = to(f"{other.url}/v1/moved", status)
    with pytest.raises(litellm.BadGatewayError, match="redirected this call to"):
        ask("completion", "remodlai", api_base=base(server))
    assert other.requests == []


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "remodlai"])
@pytest.mark.parametrize("name", ["completion", "text_completion", "embedding"])
def test_the_local_engine_is_not_reached_by_a_redirect(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch, name: str, provider: str, is_async: bool
) -> None:
    reached: list[httpx.Request] = []

    async def arrived(transport: Any, request: httpx.Request) -> httpx.Response:
        reached.append(request)
        return httpx.Response(400)

    monkeypatch.setattr(transport.LocalEngineTransport, "handle_async_request", arrived)
    monkeypatch.setattr(transport.LocalEngineTransport, "handle_request", lambda _, request: reached.append(request))
    server.responder = to("lexiq-nova://local/v1/chat/completions")
    with pytest.raises(Exception):  # noqa: B017  # upstream's own, for its own
        ask(name, provider, is_async, api_base=base(server))
    assert reached == []


@pytest.mark.parametrize("is_async", [False, True])
def test_a_loop_ends_with_an_error_of_litellm(server: RecordingServer, is_async: bool) -> None:
    server.responder = to("/v1/chat/completions")
    with pytest.raises(litellm.InternalServerError, match="redirects"):
        ask("completion", "remodlai", is_async, api_base=base(server))
    assert len(server.take()) <= 21


@every_provider
def test_a_listing_of_models_stays_on_its_server(
    server: RecordingServer, other: RecordingServer, provider: str
) -> None:
    server.responder = to(f"{other.url}/v1/models")
    config = litellm.utils.ProviderConfigManager.get_provider_model_info("m", litellm.LlmProviders(provider))
    assert config is not None
    with pytest.raises(Exception, match=re.escape(other.url)):
        config.get_models(KEY, base(server))
    assert other.requests == []


SAME = (
    ("http://nova.example/v1", "http://NOVA.example:80/v2"),
    ("https://nova.example", "https://nova.example:443/a?b"),
    ("http://nova.example", "https://nova.example/v1"),
    ("http://bücher.example", "http://xn--bcher-kva.example/"),
    ("http://user:pw@nova.example/v1", "http://nova.example/v1"),
)
NOT_SAME = (
    ("https://nova.example", "http://nova.example"),
    ("http://nova.example:8000", "https://nova.example:8443"),
    ("http://nova.example", "https://nova.example:8443"),
    ("https://nova.example", "https://nova.example.evil"),
    ("https://nova.example", "https://api.nova.example"),
    ("https://nova.example", "https://user:pw@nova.example"),
    ("https://nova.example", "lexiq-nova://nova.example"),
)


@pytest.mark.parametrize(("source", "target"), SAME)
def test_same_server(source: str, target: str) -> None:
    assert is_same_server(httpx.URL(source), httpx.URL(target))


@pytest.mark.parametrize(("source", "target"), NOT_SAME)
def test_not_the_same_server(source: str, target: str) -> None:
    assert not is_same_server(httpx.URL(source), httpx.URL(target))
