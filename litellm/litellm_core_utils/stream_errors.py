"""
The end of a synchronous stream of Anthropic events that breaks off.

An answer that breaks off must not look like a whole one: the last event says the error, as in asynchronous streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import TypeVar

from litellm._logging import verbose_logger
from litellm.exceptions import MidStreamFallbackError
from litellm.llms.base_llm.chat.transformation import BaseLLMException

_Stream = TypeVar("_Stream")  # rebind-ok: mypy takes no Final TypeVar


def says_errors(events: Callable[[_Stream], Iterator[bytes]]) -> Callable[[_Stream], Iterator[bytes]]:
    """
    Decorates a method that makes server-sent events of a stream.

    Args:
        events: the method; the stream raises what it breaks off with.

    Returns:
        The method, whose last event is Anthropic's `error` where the stream breaks off.
    """

    @wraps(events)
    def with_error(stream: _Stream) -> Iterator[bytes]:
        # That package imports upstream's Anthropic streams, which import this module.
        from litellm.anthropic_interface.exceptions.exception_mapping_utils import anthropic_error_sse_frame

        try:
            yield from events(stream)
        except Exception as error:  # noqa: BLE001  # the last code before the socket: an error's event ends the answer
            verbose_logger.exception("an Anthropic stream broke off: %s", error)
            status, message = (
                (error.status_code, error.message)
                if isinstance(error, BaseLLMException | MidStreamFallbackError)
                else (500, str(error) or type(error).__name__)
            )
            yield anthropic_error_sse_frame(status_code=status, raw_message=message).encode()

    return with_error
