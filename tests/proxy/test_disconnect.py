"""A client that goes away ends its call on the server within a second, streamed or not."""

import time
from typing import Any

import pytest
from proxy.backend import FOREVER, WORDS, endless
from proxy.gateway import Gateway
from proxy.leaving import SECONDS, Client

from support.recording import RecordingServer, Request, Response
from support.waiting import eventually

MESSAGES = [{"role": "user", "content": "Tell a long story."}]
PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/completions": {"prompt": "Once"},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 99},
    "/v1/responses": {"input": "Tell a long story."},
    "/remodlai/v1/chat/completions": {"messages": MESSAGES},
    "/lexiq_nova/v1/chat/completions": {"messages": MESSAGES},
}
CALLS = [
    pytest.param(path, stream, id=f"{path}-{'stream' if stream else 'plain'}")
    for path in PATHS
    for stream in (True, False)
]
MODELS = ("lexiq-nova-chat", "lexiq-nova-local")


def request_of(server: RecordingServer) -> Request:
    """The one request that reaches the server, waited for."""
    [request] = eventually(lambda: server.requests, 30)
    return request


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("path", "stream"), CALLS)
def test_leaving_ends_the_call(gateway: Gateway, server: RecordingServer, path: str, model: str, stream: bool) -> None:
    server.responder = endless
    client = Client(gateway, path, {"model": model, "stream": stream, **PATHS[path]})
    request = request_of(server)
    if stream:
        client.read_until(WORDS[0].encode())
    else:
        time.sleep(0.2)  # the proxy waits for the answer now
    assert not request.closed.is_set()

    client.leave()

    assert request.closed.wait(SECONDS), "the server still works on a call that nobody waits for"
    time.sleep(0.5)
    assert server.requests == [request], "and it is not tried again"


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
def test_leaving_a_pass_through_by_the_environment_ends_the_call(
    gateway: Gateway, server: RecordingServer, provider: str, stream: bool
) -> None:
    path = f"/{provider}/v1/chat/completions"
    test_leaving_ends_the_call(gateway, server, path, "served", stream)


def test_leaving_before_the_first_word_ends_the_call(gateway: Gateway, server: RecordingServer) -> None:
    server.responder = lambda request: Response(chunks=iter([FOREVER]), headers={"content-type": "text/event-stream"})
    client = Client(gateway, "/v1/chat/completions", {"model": MODELS[0], "stream": True, "messages": MESSAGES})
    request = request_of(server)
    time.sleep(0.5)

    client.leave()

    assert request.closed.wait(SECONDS)
