"""
Errors of the openai package, as LiteLLM's exceptions: some functions of the SDK raise them as they come.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NoReturn, TypeVar

import openai

import litellm
from litellm.litellm_core_utils.own_providers import own_provider_of

_R = TypeVar("_R")  # rebind-ok: mypy takes no Final TypeVar


def raises_own_errors(call: Callable[..., _R]) -> Callable[..., _R]:
    """Decorates a public call: for providers whose server is the caller's own, it raises LiteLLM's exceptions."""

    def raising(*args: object, **kwargs: object) -> _R:  # kwargs-ok: a whole call, passed on as it is
        try:
            return call(*args, **kwargs)
        except openai.OpenAIError as error:
            _raise(error, args, kwargs)

    return raising


def raises_own_errors_async(call: Callable[..., Awaitable[_R]]) -> Callable[..., Awaitable[_R]]:
    """As `raises_own_errors`, for coroutine functions."""

    async def raising(*args: object, **kwargs: object) -> _R:  # kwargs-ok: a whole call, passed on as it is
        try:
            return await call(*args, **kwargs)
        except openai.OpenAIError as error:
            _raise(error, args, kwargs)

    return raising


def _raise(error: openai.OpenAIError, args: tuple[object, ...], call: Mapping[str, object]) -> NoReturn:
    provider: Final = own_provider_of(args, call)
    if provider is None or not type(error).__module__.startswith("openai"):
        raise error
    model: Final = str(call.get("model") or "").removeprefix(f"{provider}/")
    raise litellm.exception_type(model=model, original_exception=error, custom_llm_provider=provider) from None
