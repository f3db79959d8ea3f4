"""`max_retries` and `num_retries` mean on every endpoint what OpenAI's client means by the first."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import litellm
import litellm.utils
from support.recording import RecordingServer, Request, Response, streamed
from support.vllm_answers import USER, chat, chunk, refusal, text

VECTOR = {"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 1, "total_tokens": 1}}
RESPONSE = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": []}
RANKED = {"id": "r", "model": "m", "results": [], "usage": {"total_tokens": 1}}


def succeeds(request: Request) -> Response:
    if request.path.endswith("/chat/completions"):
        whole = Response(json=chat())
        return streamed(chunk({"content": "Hi"}), chunk({}, "stop")) if request.json().get("stream") else whole
    bodies = {"completions": text("Hi", "stop"), "embeddings": VECTOR, "responses": RESPONSE, "rerank": RANKED}
    return Response(json=bodies[request.path.rsplit("/", 1)[-1]])


async def read(to: dict[str, Any]) -> None:
    assert [part async for part in await litellm.acompletion(messages=USER, stream=True, **to)]


SYNC: dict[str, Callable[[dict[str, Any]], Any]] = {
    "text": lambda to: litellm.text_completion(prompt="a", **to),
    "chat": lambda to: litellm.completion(messages=USER, **to),
    "stream": lambda to: list(litellm.completion(messages=USER, stream=True, **to)),
    "embedding": lambda to: litellm.embedding(input="a", **to),
    "rerank": lambda to: litellm.rerank(query="q", documents=["a"], **to),
    "Responses": lambda to: litellm.responses(input="a", **to),
}
ASYNC: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
    "text": lambda to: litellm.atext_completion(prompt="a", **to),
    "chat": lambda to: litellm.acompletion(messages=USER, **to),
    "stream": read,
    "embedding": lambda to: litellm.aembedding(input="a", **to),
    "rerank": lambda to: litellm.arerank(query="q", documents=["a"], **to),
    "Responses": lambda to: litellm.aresponses(input="a", **to),
}


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm.utils, "INITIAL_RETRY_DELAY", 0.0)
    monkeypatch.setattr(litellm.utils, "JITTER", 0.0)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.0)
    monkeypatch.setattr(litellm, "num_retries", None)


def fail(server: RecordingServer, times: int, status: int = 503) -> None:
    server.responder = lambda request: refusal("no", status) if len(server.requests) <= times else succeeds(request)


@pytest.mark.parametrize("name", ["max_retries", "num_retries"])
@pytest.mark.parametrize("endpoint", SYNC)
async def test_a_busy_server_is_asked_again(
    server: RecordingServer, to: dict[str, Any], endpoint: str, name: str
) -> None:
    fail(server, 2)
    SYNC[endpoint]({**to, name: 2})
    assert len(server.take()) == 3
    fail(server, 2)
    await ASYNC[endpoint]({**to, name: 2})
    assert len(server.take()) == 3


@pytest.mark.parametrize("endpoint", [name for name in SYNC if name != "text"])
async def test_as_often_as_allowed(server: RecordingServer, to: dict[str, Any], endpoint: str) -> None:
    for call in ({}, {"max_retries": 0}, {"max_retries": 1}):
        fail(server, 9)
        with pytest.raises(litellm.ServiceUnavailableError):
            SYNC[endpoint]({**to, **call})
        with pytest.raises(litellm.ServiceUnavailableError):
            await ASYNC[endpoint]({**to, **call})
        assert len(server.take()) == 2 * (1 + call.get("max_retries", 0))


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_a_refusal_is_none_to_repeat(server: RecordingServer, to: dict[str, Any], status: int) -> None:
    fail(server, 9, status)
    for endpoint in ("chat", "embedding", "rerank"):
        with pytest.raises(Exception, match="no"):
            SYNC[endpoint]({**to, "max_retries": 2})
    assert len(server.take()) == 3


async def test_a_router_retries_by_itself(server: RecordingServer, to: dict[str, Any]) -> None:
    fail(server, 99)
    router = litellm.Router(
        model_list=[{"model_name": "a", "litellm_params": {**to, "max_retries": 5}}], num_retries=1, retry_after=0
    )
    with pytest.raises(litellm.ServiceUnavailableError):
        router.completion(model="a", messages=USER)
    with pytest.raises(litellm.ServiceUnavailableError):
        await router.aembedding(model="a", input="a")
    assert len(server.take()) == 4
