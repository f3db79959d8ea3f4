"""A plain call with each provider to a recording server, and what counts what LiteLLM did for it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from support.recording import Request, Response
from support.vllm_answers import response_of

PROVIDERS = ["remodlai", "hosted_vllm"]
MODEL = "our-own-model"
PRICE = {"input_cost_per_token": 0.5, "output_cost_per_token": 0.25, "mode": "chat"}
COST = 4 * 0.5 + 2 * 0.25
MESSAGES = [{"role": "user", "content": "Hello"}]

Ask = Callable[..., Awaitable[Any]]


def completed(content: str = "Hi") -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"id": "a", "created": 1, "model": MODEL, "choices": choices, "usage": usage}


def answer(request: Request) -> Response:
    return Response(json=completed())


def responded(request: Request, **more: Any) -> Response:
    """The answer of a Responses call, streamed where it asks for that; `more` are members of the answer."""
    content = [{"type": "output_text", "text": "Hi", "annotations": []}]
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content}
    usage = {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": MODEL, "status": "completed"}
    return response_of({**head, "output": [item], "usage": usage, **more}, "Hi", bool(request.json().get("stream")))


class Counter:
    """Counts the calls of a function that it stands before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.count = 0
        self.called = threading.Event()
        counted = getattr(owner, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            self.called.set()
            return counted(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)


def cost(response: Any) -> float | None:
    return response._hidden_params["response_cost"]


async def arrived(event: threading.Event) -> bool:
    return await asyncio.to_thread(event.wait, 5)
