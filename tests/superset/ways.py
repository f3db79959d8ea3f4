"""The ways to ask for embeddings: LiteLLM's functions, a Router, a proxy over HTTP and with the openai client."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openai
from proxy.gateway import Gateway

import litellm
from support.recording import RecordingServer, Request

MODEL = "nova-embeddings"
KEY = "sk-nova"


@dataclass(frozen=True)
class Asking:
    """The server, the proxy before it, and a Router whose deployments are the proxy's."""

    server: RecordingServer
    proxy: Gateway
    router: litellm.Router

    def posted(self) -> list[Request]:
        """What was posted to the server; the proxy also looks up models, at times of its own."""
        return [request for request in self.server.take() if request.method == "POST"]

    def sent(self) -> dict[str, Any]:
        """The body of the one request for embeddings that the server has got."""
        (request,) = self.posted()
        assert request.path == "/v1/embeddings"
        assert request.header("authorization") == f"Bearer {KEY}"
        return request.json()


def _embedding(asking: Asking, given: Any, parameters: dict[str, Any]) -> Any:
    return litellm.embedding(f"remodlai/{MODEL}", given, api_base=asking.server.url, api_key=KEY, **parameters)


def _aembedding(asking: Asking, given: Any, parameters: dict[str, Any]) -> Any:
    model = f"remodlai/{MODEL}"
    return asyncio.run(litellm.aembedding(model, given, api_base=asking.server.url, api_key=KEY, **parameters))


def _router(asking: Asking, given: Any, parameters: dict[str, Any]) -> Any:
    return asking.router.embedding(MODEL, given, **parameters)


def _router_async(asking: Asking, given: Any, parameters: dict[str, Any]) -> Any:
    return asyncio.run(asking.router.aembedding(MODEL, given, **parameters))


def _proxy(asking: Asking, given: Any, parameters: dict[str, Any]) -> Any:
    with asking.proxy.client() as client:
        answer = client.post("/v1/embeddings", json={"model": MODEL, "input": given, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


def _openai(asking: Asking, given: Any, parameters: dict[str, Any]) -> Any:
    own = {name: parameters[name] for name in ("dimensions", "encoding_format") if name in parameters}
    extra = {name: value for name, value in parameters.items() if name not in own}
    with openai.OpenAI(base_url=f"{asking.proxy.url}/v1", api_key=asking.proxy.key, max_retries=0) as client:
        return client.embeddings.create(model=MODEL, input=given, extra_body=extra, **own)


Way = Callable[[Asking, Any, dict[str, Any]], Any]
IN_PYTHON: dict[str, Way] = {
    "embedding": _embedding,
    "aembedding": _aembedding,
    "Router.embedding": _router,
    "Router.aembedding": _router_async,
}
WAYS: dict[str, Way] = {**IN_PYTHON, "proxy": _proxy, "openai client": _openai}


def vectors(response: Any) -> list[Any]:
    """The embeddings of a response, in its order, whichever way it came."""
    data = response["data"] if isinstance(response, dict) else response.data
    return [item["embedding"] if isinstance(item, dict) else item.embedding for item in data]
