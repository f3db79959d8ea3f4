"""
Each event of a Responses stream looks for callbacks where there are none, a synchronous one in an event loop of its
own; a piece of text is asked for what only other events hold; and the table of event classes is made anew for each.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import litellm
from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.asyncify import run_async_function
    from litellm.responses.streaming_iterator import (
        BaseResponsesAPIStreamingIterator,
        ResponsesAPIStreamingIterator,
        SyncResponsesAPIStreamingIterator,
    )
    from litellm.types.llms.openai import OutputTextDeltaEvent, ResponsesAPIStreamingResponse

EDIT = Edit(__name__, __doc__, patch="plain-events", speed=True, releases=">=1.108")
STREAMS = "litellm/responses/streaming_iterator.py"


def hooked(self: SyncResponsesAPIStreamingIterator, result: ResponsesAPIStreamingResponse) -> None:
    result = run_async_function(
        async_function=self._call_post_streaming_deployment_hook,
        chunk=result,
    )


@EDIT.instead_of(hooked, STREAMS, "SyncResponsesAPIStreamingIterator.__next__")
def hooked_where_heard(self: SyncResponsesAPIStreamingIterator, result: ResponsesAPIStreamingResponse) -> None:
    if litellm.callbacks:
        result = run_async_function(
            async_function=self._call_post_streaming_deployment_hook,
            chunk=result,
        )


async def awaited(self: ResponsesAPIStreamingIterator, result: ResponsesAPIStreamingResponse) -> None:
    result = await self._call_post_streaming_deployment_hook(
        chunk=result,
    )


@EDIT.instead_of(awaited, STREAMS, "ResponsesAPIStreamingIterator._next_event")
async def awaited_where_heard(self: ResponsesAPIStreamingIterator, result: ResponsesAPIStreamingResponse) -> None:
    if litellm.callbacks:
        result = await self._call_post_streaming_deployment_hook(
            chunk=result,
        )


@EDIT.after(STREAMS, "BaseResponsesAPIStreamingIterator._process_chunk.openai_responses_api_chunk")
def piece_of_text(
    self: BaseResponsesAPIStreamingIterator,
    parsed_chunk: dict[str, object],
    openai_responses_api_chunk: ResponsesAPIStreamingResponse,
) -> object:
    if (
        type(openai_responses_api_chunk) is OutputTextDeltaEvent
        and isinstance(parsed_chunk.get("delta"), str)
        and "response" not in parsed_chunk
    ):
        self._generated_content += openai_responses_api_chunk.delta
        return openai_responses_api_chunk


# A server names the types: a bounded number is kept.
@EDIT.decorator("litellm/llms/openai/responses/transformation.py", "OpenAIResponsesAPIConfig.get_event_model_class")
def remembered() -> object:
    return lru_cache
