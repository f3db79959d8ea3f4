"""Whatever vLLM says of a prompt that does not fit, callers catch one exception and Routers fall back."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import USER, chat, error, refusal

Call = Callable[[dict[str, Any]], Awaitable[Any]]

WORDINGS = {
    "0.6": "The prompt (total length 6287) is too long to fit into the model (context length 4096). Make sure that "
    "`max_model_len` is no smaller than the number of text tokens plus multimodal tokens.",
    "0.7 with pictures": "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure "
    "that `max_model_len` is no smaller than the number of text tokens plus multimodal tokens.",
    "0.8 no room": "max_tokens must be at least 1, got -904.",
    "0.10 chat": "This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens.",
    "0.11 Responses": "The engine prompt length 5000 exceeds the max_model_len 4096. Please reduce prompt.",
    "0.15": "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only "
    "4096 tokens, resulting in a maximum input length of 3996 tokens. Please reduce the length of the input prompt.",
    "0.32 room": "The decoder prompt (length 4096) plus the number of requested output tokens (at least 1) is longer "
    "than the maximum model length of 4096.",
    "0.32 length": "Input length (5000) exceeds model's maximum context length (4096).",
    "0.32 picture": "The decoder prompt contains a(n) image item with 9000 embedding tokens, which exceeds the "
    "pre-allocated encoder cache size 8192.",
}


async def sync_stream(to: dict[str, Any]) -> Any:
    return list(litellm.completion(messages=USER, stream=True, **to))


async def async_stream(to: dict[str, Any]) -> Any:
    return [part async for part in await litellm.acompletion(messages=USER, stream=True, **to)]


async def chat_(to: dict[str, Any]) -> Any:
    return litellm.completion(messages=USER, **to)


async def text_(to: dict[str, Any]) -> Any:
    return litellm.text_completion(prompt="a", **to)


async def embedding_(to: dict[str, Any]) -> Any:
    return litellm.embedding(input="a", **to)


async def responses_(to: dict[str, Any]) -> Any:
    return litellm.responses(input="a", **to)


async def rerank_(to: dict[str, Any]) -> Any:
    return litellm.rerank(query="q", documents=["a"], **to)


ASYNC: dict[str, Call] = {
    "async chat": lambda to: litellm.acompletion(messages=USER, **to),
    "async text": lambda to: litellm.atext_completion(prompt="a", **to),
    "async embedding": lambda to: litellm.aembedding(input="a", **to),
    "async Responses": lambda to: litellm.aresponses(input="a", **to),
    "messages": lambda to: litellm.anthropic.messages.acreate(messages=USER, max_tokens=9, **to),
}
CALLS: dict[str, Call] = {
    "chat": chat_,
    "text": text_,
    "embedding": embedding_,
    "Responses": responses_,
    "rerank": rerank_,
    "stream": sync_stream,
    "async stream": async_stream,
    **ASYNC,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_every_endpoint(server: RecordingServer, to: dict[str, Any], call: Call) -> None:
    server.responder = lambda request: refusal(WORDINGS["0.15"])
    with pytest.raises(litellm.ContextWindowExceededError):
        await call(to)


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=WORDINGS)
def test_every_wording(server: RecordingServer, to: dict[str, Any], wording: str) -> None:
    server.responder = lambda request: refusal(wording)
    with pytest.raises(litellm.ContextWindowExceededError):
        litellm.completion(messages=USER, **to)


@pytest.mark.parametrize("call", [sync_stream, async_stream])
async def test_error_as_the_first_event_of_a_stream(server: RecordingServer, to: dict[str, Any], call: Call) -> None:
    server.responder = lambda request: streamed(error(WORDINGS["0.7 with pictures"]))
    with pytest.raises(Exception) as raised:
        await call(to)
    original = getattr(raised.value, "original_exception", None) or raised.value
    assert isinstance(original, litellm.ContextWindowExceededError)


@pytest.mark.parametrize(
    "message", ["temperature must be non-negative, got -1.0.", "max_tokens must be at least 1, got 0."]
)
def test_other_refusals_are_none(server: RecordingServer, to: dict[str, Any], message: str) -> None:
    server.responder = lambda request: refusal(message)
    with pytest.raises(litellm.BadRequestError) as raised:
        litellm.completion(messages=USER, **to)
    assert not isinstance(raised.value, litellm.ContextWindowExceededError)


async def test_a_router_falls_back(server: RecordingServer, to: dict[str, Any]) -> None:
    def answer(request: Any) -> Response:
        return refusal(WORDINGS["0.32 room"]) if request.json()["model"] == "m" else Response(json=chat())

    server.responder = answer
    router = litellm.Router(
        model_list=[
            {"model_name": "small", "litellm_params": to},
            {"model_name": "big", "litellm_params": {**to, "model": f"{to['model']}-big"}},
        ],
        context_window_fallbacks=[{"small": ["big"]}],
        num_retries=0,
    )
    assert router.completion(model="small", messages=USER).choices[0].message.content == "Hi"
    assert (await router.acompletion(model="small", messages=USER)).choices[0].message.content == "Hi"
