"""
The lines of a streamed response, and what becomes of its connection.

A synchronous response is closed outside httpcore, an asynchronous one on its event loop: both also where the garbage
collector finds a stream that was dropped (see `collector_safe_client`).
"""

import asyncio
import contextlib
import itertools
import os
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Final

import httpx

from litellm.llms.custom_httpx.collector_safe_client import close_outside_httpcore

# Parts of a body that a server may send behind the event that ends an answer; httpcore reads 64 KiB at once.
MAX_PARTS_BEHIND: Final = 8
# Answers whose body may still be ended; of more, the oldest is not waited for.
MAX_ENDED: Final = 16

_CLOSING: Final[set[asyncio.Task[None]]] = set()
_ENDED: Final[deque[tuple[httpx.Response, Any]]] = deque()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ENDED.clear)  # a connection that two processes read mixes up their answers


class ResponseLines:
    """
    The lines of a response, each of which may be looked at before upstream's parser takes it.

    Whoever drops them closes the connection.

    Args:
        lines: what upstream would have parsed, `response.iter_lines()` or `response.aiter_lines()`.
        response: the response; where it is asynchronous, this is called in its event loop. None if it is not known.
    """

    def __init__(self, lines: Any, response: httpx.Response | None) -> None:
        self._lines = lines
        self._response = response
        self._next: str | Exception | None = None
        self.is_async = hasattr(lines, "__anext__")
        self.last = ""
        self.taken = 0
        self._hang_up = weakref.finalize(self, _closing(lines, response, self.is_async))
        self._hang_up.atexit = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    def peek(self) -> str:
        """Returns the next line that is not blank; "" where there is none, and upstream is to learn why."""
        if self._next is None:
            try:
                while not (line := next(self._lines)):
                    continue
                self._next = line
            except Exception as error:  # noqa: BLE001  # `take` raises it
                self._next = error
        return self._next if isinstance(self._next, str) else ""

    async def apeek(self) -> str:
        """As `peek`, for an asynchronous response."""
        if self._next is None:
            try:
                while not (line := await self._lines.__anext__()):
                    continue
                self._next = line
            except Exception as error:  # noqa: BLE001  # `take` raises it
                self._next = error
        return self._next if isinstance(self._next, str) else ""

    def take(self) -> str:
        """Takes what was looked at; an error met then is raised now."""
        found, self._next = self._next, None
        if isinstance(found, Exception):
            raise found
        self.last = found or ""
        self.taken += 1
        return self.last

    def __next__(self) -> str:
        self.peek()
        return self.take()

    async def __anext__(self) -> str:
        await self.apeek()
        return self.take()

    def close(self) -> None:
        """
        Closes the connection, an asynchronous one a moment later. A synchronous one has no more lines; where the answer
        was read to its end, it is left to the next call.
        """
        if self.is_async:
            self._hang_up()
            return
        lines, self._lines, self._next = self._lines, iter(()), None
        if self._response is not None and self.last.endswith("[DONE]") and self._hang_up.detach():
            _ENDED.append((self._response, lines))
            finish_ended(MAX_ENDED)
        else:
            self._hang_up()


def finish_ended(left: int = 0) -> None:
    """
    Gives the connections of answers that were read to their last event back to their pools, if their bodies have ended
    by now; the others are closed. Nothing is waited for.

    Args:
        left: how many answers may stay as they are, the latest.
    """
    while len(_ENDED) > left:
        with contextlib.suppress(IndexError):  # another thread took the last one
            response, lines = _ENDED.popleft()
            _read_rest(response)
            close_outside_httpcore(response.close)
            del lines  # not before: a body that is dropped unread closes its connection


def _read_rest(response: httpx.Response) -> None:
    timeouts: Final = response.request.extensions.get("timeout")
    # A connection of HTTP/2 may carry other answers, which an error here would end.
    if response.is_closed or response.http_version != "HTTP/1.1" or not isinstance(timeouts, dict):
        return
    if not isinstance(response.stream, httpx.SyncByteStream):
        return
    timeouts["read"] = 0  # httpcore looks here when a body begins to be read
    with contextlib.suppress(httpx.HTTPError, httpx.StreamError):
        for _ in itertools.islice(response.stream, MAX_PARTS_BEHIND):
            continue


def _nothing() -> None: ...


def _closing(lines: object, response: httpx.Response | None, is_async: bool) -> Callable[[], object]:
    """What closes the connection; holds no `ResponseLines`, whose end it waits for."""
    if response is None:
        closing: Final[Callable[[], object]] = getattr(lines, "close", _nothing)
        return closing
    if is_async:
        return partial(_close_on_loop, asyncio.get_running_loop(), response)
    return partial(close_outside_httpcore, response.close)


def _close_on_loop(loop: asyncio.AbstractEventLoop, response: httpx.Response) -> None:
    if not response.is_closed and not loop.is_closed():
        loop.call_soon_threadsafe(_close, loop, response)


def _close(loop: asyncio.AbstractEventLoop, response: httpx.Response) -> None:
    task: Final = loop.create_task(response.aclose())
    _CLOSING.add(task)
    task.add_done_callback(_CLOSING.discard)
