"""httpx's errors of a Responses stream that breaks off are not LiteLLM's, and no Router falls back for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    import httpx

    from litellm.responses.stream_body import awhole_body, whole_body
    from litellm.responses.streaming_iterator import BaseResponsesAPIStreamingIterator

EDIT = Edit(__name__, __doc__, patch="broken-responses")
STREAMS = "litellm/responses/streaming_iterator.py"


def parts(response: httpx.Response) -> object:
    return response.iter_bytes()


@EDIT.instead_of(parts, STREAMS, "SyncResponsesAPIStreamingIterator.__init__")
def checked_parts(self: BaseResponsesAPIStreamingIterator, response: httpx.Response) -> object:
    return whole_body(self, response.iter_bytes())


def async_parts(response: httpx.Response) -> object:
    return response.aiter_bytes()


@EDIT.instead_of(async_parts, STREAMS, "ResponsesAPIStreamingIterator.__init__")
def checked_async_parts(self: BaseResponsesAPIStreamingIterator, response: httpx.Response) -> object:
    return awhole_body(self, response.aiter_bytes())
