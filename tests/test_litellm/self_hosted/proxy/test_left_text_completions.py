"""A text completion's stream that a proxy's client leaves is told to the callbacks, with what the client had got."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from datetime import datetime
from typing import Any

import pytest

import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import UserAPIKeyAuth
from litellm.proxy.proxy_server import async_data_generator
from litellm.utils import Rules, function_setup
from support.recording import RecordingServer, Request, Response

WORD = " word"
READ = 5
PROMPT = "Tell a long story."
CALL_ID = "call-1"
LOGGED_SECONDS = 10.0


class Told(CustomLogger):
    """Keeps what the callbacks were told."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        self.is_told = asyncio.Event()

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.entries.append(kwargs["standard_logging_object"])
        self.is_told.set()


def endless(request: Request) -> Response:
    def chunks() -> Iterator[Any]:
        while True:
            choice = {"index": 0, "text": WORD, "logprobs": None, "finish_reason": None}
            event = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}
            yield f"data: {json.dumps(event)}\n\n"
            yield 0.02

    return Response(chunks=chunks(), headers={"content-type": "text/event-stream"})


@pytest.fixture(params=["remodlai", "lexiq_nova", "hosted_vllm"])
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


async def test_a_stream_that_is_left(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    monkeypatch.setattr(litellm, "callbacks", [told])
    with RecordingServer(endless) as server:
        deployment = {"model": f"{provider}/m", "api_base": f"{server.url}/v1", "api_key": "key"}
        router = litellm.Router(model_list=[{"model_name": "m", "litellm_params": deployment}])
        call = {"model": "m", "prompt": PROMPT, "stream": True, "litellm_call_id": CALL_ID, "metadata": {}}
        # As the proxy makes it before it calls the Router.
        logging_obj, call = function_setup("atext_completion", Rules(), datetime.now(), **call)
        call["litellm_logging_obj"] = logging_obj
        stream = await router.atext_completion(**call)
        async with aclosing(async_data_generator(stream, UserAPIKeyAuth(), call)) as events:
            for _ in range(READ):
                assert WORD in await anext(events)
        await asyncio.wait_for(told.is_told.wait(), LOGGED_SECONDS)

    [entry] = told.entries
    assert entry["litellm_call_id"] == CALL_ID
    assert entry["response"]["choices"][0]["message"]["content"] == WORD * READ
    assert entry["completion_tokens"] >= READ
    assert entry["prompt_tokens"] > 0, "the prompt is counted too"
