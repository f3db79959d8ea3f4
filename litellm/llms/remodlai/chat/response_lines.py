"""
The lines of a streamed response, and what becomes of its connection.

A synchronous response can only be closed by its line generator, an asynchronous one only on its event loop. Neither may
happen where the garbage collector finds a stream that nobody has any more: it runs between any two instructions, also
of httpcore's while it holds the lock of its pool. Closing takes that lock, and would wait for itself (httpcore's
discussion 990).
"""

import _thread
import asyncio
import contextlib
import itertools
import weakref
from collections.abc import AsyncIterator, Iterator
from types import GeneratorType
from typing import Any

import httpx

# More lines than a server sends behind the event that ends an answer.
MAX_LINES_BEHIND = 8

_CLOSING: set[asyncio.Task[None]] = set()


class ResponseLines:
    """
    The lines of a response, each of which may be looked at before upstream's parser takes it.

    Whoever drops them closes the connection.

    Args:
        lines: what upstream would have parsed, `response.iter_lines()` or `response.aiter_lines()`.
        response: the response where it is asynchronous, in whose event loop this is called; else None.
    """

    def __init__(self, lines: Any, response: httpx.Response | None) -> None:
        self._lines = lines
        self._response = response
        self._next: str | Exception | None = None
        self.last = ""
        self.taken = 0
        # Holds what closes the connection, which would otherwise be collected together with the stream.
        self._hang_up = (
            weakref.finalize(self, _close_elsewhere, lines)
            if response is None
            else weakref.finalize(self, _close_on_loop, asyncio.get_running_loop(), response)
        )
        self._hang_up.atexit = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    def peek(self) -> str:
        """Returns the next line that is not blank; "" where there is none, and upstream is to learn why."""
        if self._next is None:
            try:
                line = next(self._lines)
                while not line:
                    line = next(self._lines)
                self._next = line
            except Exception as error:
                self._next = error
        return self._next if isinstance(self._next, str) else ""

    async def apeek(self) -> str:
        """As `peek`, for an asynchronous response."""
        if self._next is None:
            try:
                line = await self._lines.__anext__()
                while not line:
                    line = await self._lines.__anext__()
                self._next = line
            except Exception as error:
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
        if self._response is not None:
            self._hang_up()
        elif self._hang_up.detach():
            lines, self._lines, self._next = self._lines, iter(()), None
            if self.last.endswith("[DONE]"):
                _thread.start_new_thread(_read_to_end, (lines,))  # nobody waits for a server that does not end it
            else:
                lines.close()


def _close_elsewhere(lines: "GeneratorType[str, None, None]") -> None:
    if lines.gi_frame is not None:
        _thread.start_new_thread(lines.close, ())  # `threading.Thread` takes locks too


def _read_to_end(lines: "GeneratorType[str, None, None]") -> None:
    with contextlib.suppress(httpx.HTTPError):  # the answer was whole; the connection is not used again, that is all
        for _ in itertools.islice(lines, MAX_LINES_BEHIND):
            continue
    lines.close()


def _close_on_loop(loop: asyncio.AbstractEventLoop, response: httpx.Response) -> None:
    if not response.is_closed and not loop.is_closed():
        loop.call_soon_threadsafe(_close, loop, response)


def _close(loop: asyncio.AbstractEventLoop, response: httpx.Response) -> None:
    task = loop.create_task(response.aclose())
    _CLOSING.add(task)
    task.add_done_callback(_CLOSING.discard)
