"""
A Responses stream that raises closes its connection.

The error's traceback keeps the stream, and the stream its response. Until both are dropped, the server would go on
generating, and the connection would be taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

from litellm._logging import verbose_logger

if TYPE_CHECKING:
    from litellm.responses.streaming_iterator import BaseResponsesAPIStreamingIterator

_Stream = TypeVar("_Stream", bound="BaseResponsesAPIStreamingIterator")  # rebind-ok: mypy takes no Final TypeVar
_Event = TypeVar("_Event")  # rebind-ok: mypy takes no Final TypeVar


def closes_when_raising(next_event: Callable[[_Stream], _Event]) -> Callable[[_Stream], _Event]:
    """
    Decorates `__next__` of a Responses stream.

    Args:
        next_event: the method.

    Returns:
        The method, which closes the connection before it raises an error. (httpx itself closes what Ctrl-C ends.)
    """

    @wraps(next_event)
    def closing(stream: _Stream) -> _Event:
        try:
            return next_event(stream)
        except StopIteration:  # the whole body was read: its connection is used again
            raise
        except Exception:
            try:
                stream.response.close()
            except Exception as error:  # noqa: BLE001  # must not hide what the stream raised
                verbose_logger.debug("a Responses stream that raised could not be closed: %s", error)
            raise

    return closing


def acloses_when_raising(next_event: Callable[[_Stream], Awaitable[_Event]]) -> Callable[[_Stream], Awaitable[_Event]]:
    """As `closes_when_raising`, of `__anext__`."""

    @wraps(next_event)
    async def closing(stream: _Stream) -> _Event:
        try:
            return await next_event(stream)
        except StopAsyncIteration:
            raise
        except Exception:
            try:
                await stream.response.aclose()
            except Exception as error:  # noqa: BLE001  # must not hide what the stream raised
                verbose_logger.debug("a Responses stream that raised could not be closed: %s", error)
            raise

    return closing
