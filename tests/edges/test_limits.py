"""A Router learns from a server how long a prompt may be, and heeds it before a call."""

import asyncio

import pytest
from edges.calls import KEY, PROVIDERS, base

import litellm
from support.recording import RecordingServer, Request, Response

LONG = [{"role": "user", "content": "word " * 200}]
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "large",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
SERVED = {"object": "list", "data": [{"id": "small", "max_model_len": 64}, {"id": "large", "max_model_len": 8192}]}

pytestmark = pytest.mark.skipif(
    not hasattr(litellm.Router, "arefresh_model_info"), reason="LiteLLM asks servers for limits since 1.108"
)


def serves(request: Request) -> Response:
    return Response(json=SERVED if request.path == "/v1/models" else ANSWER)


def router(server: RecordingServer, provider: str) -> litellm.Router:
    deployments = [
        {
            "model_name": name,
            "litellm_params": {"model": f"{provider}/{name}", "api_base": base(server), "api_key": KEY},
        }
        for name in ("small", "large")
    ]
    return litellm.Router(
        model_list=deployments, enable_pre_call_checks=True, context_window_fallbacks=[{"small": ["large"]}]
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_prompt_that_does_not_fit_goes_to_the_larger_model(server: RecordingServer, provider: str) -> None:
    server.responder = serves
    calls = router(server, provider)

    async def called() -> object:
        await calls.arefresh_model_info()
        return await calls.acompletion("small", messages=LONG)

    asyncio.run(called())
    *listings, call = server.take()
    assert {(asked.path, asked.header("authorization")) for asked in listings} == {("/v1/models", f"Bearer {KEY}")}
    assert call.json()["model"] == "large"
    assert calls.get_model_group_info("small").max_input_tokens == 64  # type: ignore[union-attr]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_says_nothing_sets_no_limit(server: RecordingServer, provider: str) -> None:
    server.responder = lambda request: Response(404) if request.path == "/v1/models" else Response(json=ANSWER)
    calls = router(server, provider)

    async def called() -> object:
        await calls.arefresh_model_info()
        return await calls.acompletion("small", messages=LONG)

    asyncio.run(called())
    assert server.take()[-1].json()["model"] == "small"
