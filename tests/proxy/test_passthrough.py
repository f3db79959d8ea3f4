"""Pass-through: `/remodlai/{route}` and `/lexiq_nova/{route}` reach vLLM's own routes, with its key, below its base."""

import http.client
import json
from typing import Any

import httpx
import pytest
from proxy.backend import SERVER_KEY, TEXT, chat_events
from proxy.gateway import Gateway, events

from support.recording import RecordingServer, Response

PROVIDERS = {"remodlai": ("lexiq-nova-chat", "nova"), "lexiq_nova": ("lexiq-nova-local", "org/nova")}
"""By prefix: a router model, and what its server calls it."""
MODELS = ("router", "environment")
"""How the server is found: by a router model in the body, or by the base of the environment."""
ROUTES: dict[str, dict[str, Any]] = {
    "v1/chat/completions": {"messages": [{"role": "user", "content": "Hello"}]},
    "v1/completions": {"prompt": "Hello"},
    "v1/embeddings": {"input": ["Hello"]},
    "v1/responses": {"input": "Hello"},
    "tokenize": {"prompt": "Hello"},
    "detokenize": {"tokens": [1, 2]},
    "score": {"text_1": "a", "text_2": "b"},
    "pooling": {"input": "Hello"},
    "classify": {"input": "Hello"},
    "rerank": {"query": "a", "documents": ["a"]},
    "v2/embed": {"texts": ["a"]},
}
CLIMBING = (
    "../admin",
    "v1/../../admin",
    "%2e%2e/admin",
    "v1/%2e%2e/%2E%2E/admin",
    "..%2fadmin",
    "%252e%252e/admin",
    "v1/.%2e/admin",
    "..%5cadmin",
    "/other.host/admin",
    "//other.host/admin",
    "%2f%2fother.host/admin",
    "http://other.host/admin",
    "tokenize%3Fadmin=1",
    "tokenize%23admin",
    "tokenize%0d%0aX-Admin:1",
)

every_provider = pytest.mark.parametrize("provider", PROVIDERS)
either_way = pytest.mark.parametrize("way", MODELS)


def names(provider: str, way: str) -> tuple[str, str]:
    """The model that the caller names and the one that the server is to see."""
    return PROVIDERS[provider] if way == "router" else ("served", "served")


@pytest.mark.parametrize("route", ROUTES)
@either_way
@every_provider
def test_a_route_of_the_server(gateway: Gateway, server: RecordingServer, provider: str, way: str, route: str) -> None:
    asked, served = names(provider, way)
    with gateway.client() as client:
        answer = client.post(f"/{provider}/{route}", json={"model": asked, **ROUTES[route]})

    [request] = server.take()
    assert (request.method, request.path) == ("POST", f"/{route}")
    assert request.json() == {"model": served, **ROUTES[route]}
    direct = httpx.post(f"{server.url}/{route}", json=request.json(), headers={"Authorization": f"Bearer {SERVER_KEY}"})
    assert (answer.status_code, answer.json()) == (200, direct.json())


@pytest.mark.parametrize("route", ["v1/models", "version", "load"])
@every_provider
def test_a_route_that_is_read(gateway: Gateway, server: RecordingServer, provider: str, route: str) -> None:
    with gateway.client() as client:
        answer = client.get(f"/{provider}/{route}", params={"verbose": "1"})

    assert answer.status_code == 200
    [request] = server.take()
    assert (request.method, request.path, request.query) == ("GET", f"/{route}", [("verbose", "1")])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@every_provider
def test_a_route_without_a_body(gateway: Gateway, server: RecordingServer, provider: str, method: str) -> None:
    with gateway.client() as client:
        answer = client.request(method, f"/{provider}/v1/responses/resp_1/cancel")

    [request] = server.take()
    assert (request.method, request.path) == (method, "/v1/responses/resp_1/cancel")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@every_provider
def test_a_file_in_a_form(gateway: Gateway, server: RecordingServer, provider: str) -> None:
    with gateway.client() as client:
        answer = client.post(
            f"/{provider}/v1/audio/transcriptions", data={"model": "served"}, files={"file": ("a.wav", b"RIFF")}
        )

    assert answer.json() == {"text": TEXT}
    [request] = server.take()
    assert {part.name: part.content for part in request.parts()} == {"model": b"served", "file": b"RIFF"}


@either_way
@every_provider
def test_streaming(gateway: Gateway, server: RecordingServer, provider: str, way: str) -> None:
    asked, _ = names(provider, way)
    body = {"model": asked, "messages": [], "stream": True, "stream_options": {"include_usage": True}}
    with gateway.client() as client, client.stream("POST", f"/{provider}/v1/chat/completions", json=body) as answer:
        got = events(answer.iter_lines())

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert got == [*chat_events(body), "[DONE]"]


@pytest.mark.parametrize("stream", [False, True])
@either_way
@every_provider
def test_the_callers_key_never_goes_up_and_the_servers_never_down(
    gateway: Gateway, server: RecordingServer, provider: str, way: str, stream: bool
) -> None:
    asked, _ = names(provider, way)
    body = {"model": asked, "messages": [], **({"stream": True} if stream else {})}
    # Both places in which a client may put its key for the proxy; and the forwarding prefix must not replace ours.
    sneaky = {"x-pass-authorization": "Bearer theirs", "x-litellm-api-key": f"Bearer {gateway.key}", "cookie": "a=b"}
    with gateway.client(headers={**gateway.headers, **sneaky}) as client:
        answer = client.post(f"/{provider}/v1/chat/completions", json=body)

    assert answer.status_code == 200
    [request] = server.take()
    assert [value for name, value in request.headers if name.lower() == "authorization"] == [f"Bearer {SERVER_KEY}"]
    wire = repr((request.target, request.headers, request.body))
    assert gateway.key not in wire and "theirs" not in wire
    assert SERVER_KEY not in repr((answer.headers, answer.text))


@either_way
@every_provider
def test_not_streaming_said_aloud(gateway: Gateway, server: RecordingServer, provider: str, way: str) -> None:
    body = {"model": names(provider, way)[0], "messages": [], "stream": False}
    with gateway.client() as client:
        answer = client.post(f"/{provider}/v1/chat/completions", json=body)

    assert (answer.status_code, answer.json()["choices"][0]["message"]["content"]) == (200, TEXT)


@either_way
@every_provider
def test_an_error_of_the_server_is_the_callers(
    gateway: Gateway, server: RecordingServer, provider: str, way: str
) -> None:
    refused = {"error": {"message": "no such adapter", "type": "BadRequestError", "code": 400}}
    server.responder = lambda request: Response(400, json=refused)
    with gateway.client() as client:
        answer = client.post(f"/{provider}/pooling", json={"model": names(provider, way)[0], "input": "a"})

    assert (answer.status_code, answer.json()) == (400, refused)
    assert len(server.take()) == 1, "a bad request is not made again"


@pytest.mark.parametrize("stream", [False, True])
@either_way
@every_provider
def test_an_error_does_not_show_the_servers_key(
    gateway: Gateway, server: RecordingServer, provider: str, way: str, stream: bool
) -> None:
    server.responder = lambda request: Response(
        401,
        headers={"x-refused": f"Bearer {SERVER_KEY}"},
        json={"error": {"message": f"{SERVER_KEY} is not valid", "type": "auth", "code": 401}},
    )
    with gateway.client() as client:
        asked = {"model": names(provider, way)[0], "messages": [], "stream": stream}
        answer = client.post(f"/{provider}/v1/chat/completions", json=asked)

    assert answer.status_code == 401 and "is not valid" in answer.text
    assert SERVER_KEY not in repr((answer.headers, answer.text))


@pytest.mark.parametrize("route", CLIMBING)
@either_way
@every_provider
def test_a_path_that_leaves_the_base_is_refused(
    gateway: Gateway, server: RecordingServer, provider: str, way: str, route: str
) -> None:
    status = raw_post(gateway, f"/{provider}/{route}", {"model": names(provider, way)[0], "prompt": "a"})

    assert status in (400, 404)  # 404: with a line break in it, the path is not even this route's
    assert server.take() == []


def raw_post(gateway: Gateway, target: str, body: Any) -> int:
    """The status of a POST whose target is sent as it stands: most clients tidy a path before they send it."""
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=60)
    try:
        headers = {**gateway.headers, "Content-Type": "application/json"}
        connection.request("POST", target, json.dumps(body), headers)
        return connection.getresponse().status
    finally:
        connection.close()


@every_provider
def test_without_a_key_for_the_proxy_nothing_is_sent(gateway: Gateway, server: RecordingServer, provider: str) -> None:
    answer = httpx.post(f"{gateway.url}/{provider}/tokenize", json={"model": "served", "prompt": "a"})

    # 401, but 500 where the database's client is not installed: LiteLLM asks it whether the error is the database's.
    assert answer.status_code in (401, 500)
    assert server.take() == []


@pytest.mark.parametrize("stream", [False, True])
@either_way
@every_provider
def test_a_redirect_to_another_server_is_not_followed(
    gateway: Gateway, server: RecordingServer, provider: str, way: str, stream: bool
) -> None:
    with RecordingServer(lambda request: Response(json={})) as elsewhere:
        moved = Response(307, headers={"location": f"{elsewhere.url}/tokenize"})
        server.responder = lambda request: moved
        body = {"model": names(provider, way)[0], "prompt": "a", "stream": stream}
        with gateway.client(follow_redirects=False) as client:
            answer = client.post(f"/{provider}/tokenize", json=body)

        assert answer.status_code == 502
        assert elsewhere.url in answer.text and server.url in answer.text
        assert elsewhere.take() == []
