"""
Servers that answer embeddings in floats only: asked once more where base64 was refused, and remembered.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from litellm.llms.base_llm.chat.transformation import BaseLLMException

# More servers than this are not kept in mind: the oldest is forgotten, and asked for base64 again.
MAX_REMEMBERED: Final = 256

_floats_only: Final[dict[str, None]] = {}


class Base64RefusedError(BaseLLMException):
    """
    A server did not answer in base64, which the caller did not ask for.

    Args:
        url: of the endpoint.
        status_code: of its answer.
        message: what it says, or what is wrong with it.
    """

    def __init__(self, url: str, status_code: int, message: str) -> None:
        super().__init__(status_code=status_code, message=message)
        self.url = url


def answers_in_base64(url: str) -> bool:
    """Whether an endpoint is not known to answer in floats only."""
    return url not in _floats_only


@contextmanager
def _remembered(url: str) -> Iterator[None]:
    """Notes an endpoint, for good if what runs inside succeeds: then base64 was the reason."""
    _floats_only[url] = None
    if len(_floats_only) > MAX_REMEMBERED:
        _floats_only.pop(next(iter(_floats_only)), None)
    try:
        yield
    except BaseException:
        _floats_only.pop(url, None)
        raise


def asks_again_for_floats(embedding: Callable[..., Any]) -> Callable[..., Any]:
    """
    Decorates the method that sends embeddings: a server that refuses base64 is asked once more, for floats.

    Args:
        embedding: takes keywords; returns a coroutine for a call that is awaited.
    """

    def asking(handler: object, **call: object) -> object:  # kwargs-ok: the method's own keywords, passed on
        given: Final = call.get("optional_params")
        # Upstream takes `extra_body` out of the parameters.
        again: Final = {**call, "optional_params": {**given} if isinstance(given, Mapping) else {}}
        try:
            answer: Final = embedding(handler, **call)
        except Base64RefusedError as refusal:
            with _remembered(refusal.url):
                return embedding(handler, **again)
        return awaited(answer, again, handler) if isinstance(answer, Awaitable) else answer

    async def awaited(answer: Awaitable[object], again: Mapping[str, object], handler: object) -> object:
        try:
            return await answer
        except Base64RefusedError as refusal:
            with _remembered(refusal.url):
                return await embedding(handler, **again)

    return asking
