"""
Tool calls of a chat stream, one at a time: Anthropic's streams hold one open content block, OpenAI's any number.

A chunk of a chat stream may hold pieces of several tool calls, and their arguments may arrive side by side. A call's
pieces pass while it is open; pieces of the others wait until its arguments are a whole JSON text, or the stream is.
"""

import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Final, Protocol

from litellm.types.utils import ChatCompletionDeltaToolCall

if TYPE_CHECKING:
    from litellm.types.utils import ModelResponseStream


class ChunkStream(Protocol):
    """A stream of chat chunks, synchronous and asynchronous."""

    def __next__(self) -> "ModelResponseStream": ...

    async def __anext__(self) -> "ModelResponseStream": ...


class ToolCallsInTurn:
    """
    A chat stream whose chunks hold at most one tool call, and whose tool calls do not overlap.

    Args:
        chunks: the stream; iterated either synchronously or asynchronously, never both.
    """

    def __init__(self, chunks: ChunkStream) -> None:
        self._stream = chunks
        self._ready: list[ModelResponseStream] = []
        # By a call's index: its pieces that wait, in the order in which the calls began.
        self._waiting: dict[int, list[ModelResponseStream]] = {}
        self._open: int | None = None
        self._arguments = ""
        self._called = False

    def __getattr__(self, name: str) -> object:
        # What the stream has collected, and its end, are its own.
        return getattr(self._stream, name)

    def __iter__(self) -> "Iterator[ModelResponseStream]":
        return self

    def __next__(self) -> "ModelResponseStream":
        while not self._ready:
            try:
                self._take(next(self._stream))
            except StopIteration:
                self._close()
                if not self._ready:
                    raise
        return self._ready.pop(0)

    def __aiter__(self) -> "AsyncIterator[ModelResponseStream]":
        return self

    async def __anext__(self) -> "ModelResponseStream":
        while not self._ready:
            try:
                self._take(await self._stream.__anext__())
            except StopAsyncIteration:
                self._close()
                if not self._ready:
                    raise
        return self._ready.pop(0)

    def _take(self, chunk: "ModelResponseStream") -> None:
        delta: Final = chunk.choices[0].delta if len(chunk.choices) == 1 else None
        calls: Final[list[ChatCompletionDeltaToolCall]] = getattr(delta, "tool_calls", None) or []
        if not calls:
            is_last: Final = bool(chunk.choices) and chunk.choices[0].finish_reason is not None
            if is_last:
                self._close()
            self._ready.append(self._with_reason(chunk) if is_last else chunk)
            return
        self._called = True
        for call in calls:
            self._pass(call.index, _arguments(call), _with_one_call(chunk, call, len(calls)))

    def _with_reason(self, chunk: "ModelResponseStream") -> "ModelResponseStream":
        # OpenAI and vLLM end the call of a tool that the caller named with `stop`; Anthropic's clients run it only for
        # `tool_use`.
        if not self._called or chunk.choices[0].finish_reason != "stop":
            return chunk
        last: Final = copy.deepcopy(chunk)
        last.choices[0].finish_reason = "tool_calls"
        return last

    def _pass(self, index: int, arguments: str, piece: "ModelResponseStream") -> None:
        if self._open != index and (self._open is None or _is_whole(self._arguments)):
            self._open, self._arguments = index, ""
        if self._open != index:
            self._waiting.setdefault(index, []).append(piece)
            return
        self._arguments += arguments
        self._ready.append(piece)
        if self._waiting and _is_whole(self._arguments):
            self._open_next()

    def _open_next(self) -> None:
        index: Final = next(iter(self._waiting))
        pieces: Final = self._waiting.pop(index)
        self._open, self._arguments = None, ""
        for piece in pieces:
            self._pass(index, _arguments((piece.choices[0].delta.tool_calls or [])[0]), piece)

    def _close(self) -> None:
        while self._waiting:
            self._open_next()
        self._open, self._arguments = None, ""


def _with_one_call(
    chunk: "ModelResponseStream", call: ChatCompletionDeltaToolCall, calls: int
) -> "ModelResponseStream":
    if calls == 1:
        return chunk
    piece: Final = copy.deepcopy(chunk)
    piece.choices[0].delta.tool_calls = [copy.deepcopy(call)]
    return piece


def _arguments(call: object) -> str:
    function: Final = getattr(call, "function", None)
    return getattr(function, "arguments", None) or ""


def _is_whole(arguments: str) -> bool:
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True
