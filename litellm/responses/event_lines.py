"""
How the events of a Responses stream are read: their lines many at once, and their JSON by pydantic's parser.

What is not plain is read by openai's decoder and by `json`, which decide in every case of doubt.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Final

from openai._streaming import ServerSentEvent, SSEDecoder
from pydantic_core import from_json

# An event as servers write it: at most a name, and one line of data.
_plain: Final = re.compile(rb"(?:event: ([^\n]*)\n)?data: ([^\n]*)").fullmatch
_MAX_LINES: Final = 2


class EventDecoder:
    """
    A shorter way, for events as servers write them, than openai's decoder, which reads each line by itself.

    From the first event that is written otherwise, openai's reads all: its state is always a new one there.

    Args:
        decoder: openai's, which has read nothing.
    """

    def __init__(self, decoder: SSEDecoder) -> None:
        self._decoder: Final = decoder

    def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[ServerSentEvent]:
        """
        Reads the events of a body.

        Args:
            iterator: the body as it arrives.

        Returns:
            The events, each as soon as it is whole.

        Raises:
            UnicodeDecodeError: a line is not UTF-8.
        """
        body: Final = _Body()
        for part in iterator:
            yield from body.events(part)
            if not body.is_plain:
                break
        yield from self._decoder.iter_bytes(chain((body.rest(),), iterator))

    async def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[ServerSentEvent]:
        """As `iter_bytes`."""
        body: Final = _Body()
        async for part in iterator:
            for event in body.events(part):
                yield event
            if not body.is_plain:
                break
        async for event in self._decoder.aiter_bytes(_chained(body.rest(), iterator)):
            yield event


class _Body:
    """What has arrived of a body and is not read yet."""

    def __init__(self) -> None:
        self.is_plain = True
        self._parts: list[bytes] = []  # mutable-ok: joined once an event may be whole, not at each part

    def rest(self) -> bytes:
        return b"".join(self._parts)

    def events(self, part: bytes) -> Iterator[ServerSentEvent]:
        """The events that are whole with this part, up to the first one that is not plain."""
        self._parts.append(part)
        self.is_plain = b"\r" not in part
        if not self.is_plain or b"\n" not in part:
            return
        texts: Final = self.rest().split(b"\n\n")
        self._parts = texts[-1:]
        for number, text in enumerate(texts[:-1]):
            event = _event(text)
            if event is None:
                self.is_plain = False
                self._parts = [b"\n\n".join(texts[number:])]
                return
            yield event
        # More lines than a plain event has, in parts of their own, would be joined again with each of them.
        self.is_plain = self._parts[0].count(b"\n") <= _MAX_LINES


def _event(text: bytes) -> ServerSentEvent | None:
    found: Final = _plain(text)
    if found is None:
        return None
    name, data = found.groups()
    try:
        return ServerSentEvent(event=None if name is None else name.decode(), data=data.decode())
    except UnicodeDecodeError:
        return None


async def _chained(first: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in parts:
        yield part


def read_json(payload: str | bytes) -> object:
    """
    Reads a JSON text, in half of the time that `json` takes for a short one.

    Args:
        payload: the text.

    Returns:
        What `json.loads` returns.

    Raises:
        json.JSONDecodeError: it is no JSON.
        ValueError: a number has more digits than Python reads.
    """
    try:
        return from_json(payload, cache_strings="keys")
    except (TypeError, ValueError):  # `json` takes some of what pydantic does not, such as half of a surrogate pair
        return json.loads(payload)
