"""
Chat streams that tell how far the start of a local engine is, in chunks of reasoning before those of the answer.
"""

import asyncio
import contextvars
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from litellm.exceptions import MidStreamFallbackError
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.llms.base_llm.base_model_iterator import BaseModelResponseIterator
from litellm.types.utils import Delta, ModelResponseStream

from .. import local
from ..engine.runtime import awaited, wait
from ..errors import ENGINE_SCHEME
from .streaming import TemplateStream, TemplateStreams

if TYPE_CHECKING:
    from ..engine.waiting import Waiting


class ProgressStream(TemplateStream):
    """
    A stream whose request is sent when its engine is up; until then its chunks are what is said of the start.

    Args:
        waiting: the wait for the engine, which goes on by itself.
        send: sends the request and returns its stream, or a coroutine that does.
        lines: none, for as long as there is no answer.
        call: what upstream gave the hook.
    """

    def __init__(
        self,
        waiting: "Waiting",
        send: Callable[[], Any],
        lines: Iterator[str] | AsyncIterator[str],
        call: dict[str, Any],
    ) -> None:
        super().__init__(
            completion_stream=BaseModelResponseIterator(lines, sync_stream=True),
            model=call["model"],
            logging_obj=call["logging_obj"],
            custom_llm_provider=call["custom_llm_provider"],
            _response_headers={},
        )
        self._waiting: Waiting | None = waiting
        self._leave = weakref.finalize(self, waiting.leave)
        self._leave.atexit = False
        self._send = send
        # The request is sent from whatever reads the stream, and is still the call's.
        self._context = contextvars.copy_context()
        # Kept: upstream's stream would end the call's context as it is collected, before this one has ended.
        self._answer: TemplateStream | None = None

    def __next__(self) -> ModelResponseStream:
        if (waiting := self._waiting) is None:
            return super().__next__()
        try:
            line: Final = wait(waiting.line())
            if line is not None:
                return self._told(line)
            self._begin(self._context.run(self._request(waiting)))
        except Exception as error:  # noqa: BLE001  # upstream tells callbacks, and raises what it is to callers
            self.completion_stream = _raising(error)
        except BaseException:  # Ctrl-C
            self._drop()
            raise
        try:
            return super().__next__()
        except MidStreamFallbackError as error:
            raise self._as_of_a_call(error) from error.original_exception

    async def __anext__(self) -> ModelResponseStream:
        if (waiting := self._waiting) is None:
            return await super().__anext__()
        try:
            line: Final = await awaited(waiting.line())
            if line is not None:
                return self._told(line)
            self._begin(await self._context.run(asyncio.ensure_future, self._request(waiting)()))
        except Exception as error:  # noqa: BLE001  # as above
            self.completion_stream = _araising(error)
        except BaseException:  # its task is cancelled
            self._drop()
            raise
        try:
            return await super().__anext__()
        except MidStreamFallbackError as error:
            raise self._as_of_a_call(error) from error.original_exception

    def _request(self, waiting: "Waiting") -> Callable[[], Any]:
        """What sends the request, now that the wait is over."""
        self._waiting = None
        self._context.run(waiting.tell_call)
        return self._send

    def _drop(self) -> None:
        self._leave()
        self._waiting = None
        self._end()

    def _told(self, line: str) -> ModelResponseStream:
        self._leave_no_cycle()
        chunk: Final = self.model_response_creator()
        role: Final = None if self.sent_first_chunk else "assistant"
        chunk.choices[0].delta = Delta(role=role, reasoning_content=f"{line}\n")
        self.sent_first_chunk = True
        return chunk

    def _begin(self, answer: TemplateStream) -> None:
        """Goes on as the stream of the answer."""
        self._answer = answer
        self._lines, self._parser, self.completion_stream = answer._lines, answer._parser, answer.completion_stream
        self._stream_created_time = answer._stream_created_time
        self._response_headers = answer._response_headers
        for params in (self._hidden_params, self._base_hidden_params):
            params["additional_headers"] = answer._hidden_params["additional_headers"]

    def _as_of_a_call(self, error: MidStreamFallbackError) -> Exception:
        """The error that a call without stream raises; a Router needs to know that it was a stream's."""
        metadata: Final = self.logging_obj.model_call_details.get("litellm_params", {}).get("metadata") or {}
        return error if "model_group" in metadata else error.original_exception or error

    def close(self) -> None:
        if (waiting := self._waiting) is not None:
            self._waiting = None
            wait(waiting.left())
        super().close()

    async def aclose(self) -> None:
        if (waiting := self._waiting) is not None:
            self._waiting = None
            await awaited(waiting.left())
        await super().aclose()


class ProgressStreams(TemplateStreams):
    """Mixin for a chat config: `TemplateStreams` that tell how far the start of an engine is, where that is wished."""

    def get_sync_custom_stream_wrapper(self, *args: Any, **call: Any) -> CustomStreamWrapper:  # kwargs-ok: passed on
        send: Final = partial(super().get_sync_custom_stream_wrapper, *args, **call)
        waiting: Final = _waiting_for(call)
        if waiting is None:
            return send()
        return ProgressStream(waiting.begin(), send, iter(()), call)

    async def get_async_custom_stream_wrapper(
        self,
        *args: Any,
        **call: Any,  # kwargs-ok: passed on
    ) -> CustomStreamWrapper:
        send: Final = partial(super().get_async_custom_stream_wrapper, *args, **call)
        waiting: Final = _waiting_for(call)
        if waiting is None:
            return await send()
        return ProgressStream(waiting.begin_in_loop(), send, _no_lines(), call)


def _waiting_for(call: dict[str, Any]) -> "Waiting | None":
    """The wait that the stream of a call is to tell of; None where it is to tell nothing."""
    if not call["api_base"].startswith(ENGINE_SCHEME):
        return None
    # What merges reasoning into content would make content of the lines.
    if "stream" not in call["data"] or call["litellm_params"].get("merge_reasoning_content_in_choices"):
        return None
    return local.waiting_for(call["api_base"], call["timeout"])


def _raising(error: Exception) -> Iterator[str]:
    raise error
    yield ""


async def _no_lines() -> AsyncIterator[str]:
    return
    yield ""


async def _araising(error: Exception) -> AsyncIterator[str]:
    raise error
    yield ""
