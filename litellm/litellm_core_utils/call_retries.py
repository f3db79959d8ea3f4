"""
Retries of calls to servers that LiteLLM asks without OpenAI's client, which is what reads `max_retries` elsewhere.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import iscoroutinefunction
from typing import Final, ParamSpec, TypeVar, cast  # noqa: TID251  # for the one cast below

import openai

import litellm
from litellm.litellm_core_utils.self_hosted import SELF_HOSTED

_P = ParamSpec("_P")  # rebind-ok: mypy takes no Final ParamSpec
_R = TypeVar("_R")  # rebind-ok: mypy takes no Final TypeVar

# Endpoints that are asked with LiteLLM's own HTTP client.
_ENDPOINTS: Final = ("completion", "embedding", "rerank", "responses", "transcription", "image_edit", "decisions")
RETRIED: Final = frozenset((*_ENDPOINTS, *(f"a{name}" for name in _ENDPOINTS)))
# Endpoints whose `num_retries` LiteLLM reads already.
WITH_NUM_RETRIES: Final = frozenset({"completion", "acompletion", "responses", "aresponses"})


def retried(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """
    A function of the SDK that asks again, as OpenAI's client would, where the call's `max_retries` allows it.

    Args:
        function: synchronous or asynchronous; its keywords are those of a call of LiteLLM.
    """
    name: Final = function.__name__
    if name not in RETRIED:
        return function

    @wraps(function)
    def again(*args: _P.args, **kwargs: _P.kwargs) -> _R:  # kwargs-ok: a whole call, passed on as it is
        allowed: Final = _retries(name, args, kwargs)
        for left in range(allowed, 0, -1):
            try:
                return function(*args, **kwargs)
            except openai.APIError as error:
                if not _retryable(error):
                    raise
                delay = _delay(error, left, allowed)
            time.sleep(delay)
        return function(*args, **kwargs)

    @wraps(function)
    async def async_again(*args: _P.args, **kwargs: _P.kwargs) -> object:  # kwargs-ok: a whole call, passed on as it is
        allowed: Final = _retries(name, args, kwargs)
        for left in range(allowed, 0, -1):
            try:
                return await _awaited(function(*args, **kwargs))
            except openai.APIError as error:
                if not _retryable(error):
                    raise
                delay = _delay(error, left, allowed)
            await asyncio.sleep(delay)
        return await _awaited(function(*args, **kwargs))

    if iscoroutinefunction(function):
        return cast(Callable[_P, _R], async_again)  # cast-ok: the R of such a function is its coroutine
    return again


async def _awaited(answer: object) -> object:
    return await answer if isinstance(answer, Awaitable) else answer


def _retries(name: str, args: tuple[object, ...], call: Mapping[str, object]) -> int:
    given: Final = call.get("max_retries")
    retries: Final = call.get("num_retries") if given is None and name not in WITH_NUM_RETRIES else given
    if not isinstance(retries, int) or call.get("text_completion") or _by_router(call):
        return 0
    model: Final = call.get("model") or (args[0] if args else "")
    return retries if {call.get("custom_llm_provider"), str(model).split("/", 1)[0]} & SELF_HOSTED else 0


def _by_router(call: Mapping[str, object]) -> bool:
    # A Router retries by itself, on another deployment where there is one.
    buckets: Final = (call.get("metadata"), call.get("litellm_metadata"))
    return any(isinstance(bucket, Mapping) and "model_group" in bucket for bucket in buckets)


def _retryable(error: openai.APIError) -> bool:
    status: Final = getattr(error, "status_code", None)
    return isinstance(error, openai.APIConnectionError) or litellm.utils.should_retry(status or 0)


def _delay(error: openai.APIError, left: int, allowed: int) -> float:
    headers: Final = getattr(error, "litellm_response_headers", None)
    return litellm.utils.calculate_retry_after(left, allowed, headers)
