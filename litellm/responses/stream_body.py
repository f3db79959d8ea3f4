"""
The body of a Responses stream, whose breaking off is an error of LiteLLM's.

An SDK's caller catches LiteLLM's classes, and the Router tries its fallbacks for `MidStreamFallbackError` only; httpx's
own errors would pass both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Final
from weakref import ReferenceType, ref

import httpx

import litellm
from litellm.exceptions import MidStreamFallbackError

if TYPE_CHECKING:
    from litellm.responses.streaming_iterator import BaseResponsesAPIStreamingIterator


def whole_body(stream: BaseResponsesAPIStreamingIterator, parts: Iterator[bytes]) -> Iterator[bytes]:
    """
    Reads the body of a stream.

    Args:
        stream: the stream that reads it.
        parts: the body as it arrives.

    Returns:
        The parts. A body that breaks off behind the event that completes the answer is a whole one.

    Raises:
        litellm.Timeout: the server stopped sending.
        MidStreamFallbackError: the connection was lost; or, in a Router's call, the server stopped before any output.
    """
    return _whole(ref(stream), parts)


def awhole_body(stream: BaseResponsesAPIStreamingIterator, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """As `whole_body`."""
    return _awhole(ref(stream), parts)


# A stream holds its body. Were the body to hold the stream, a dropped stream would stay until the collector runs, and
# the server would go on generating.
def _whole(stream: ReferenceType[BaseResponsesAPIStreamingIterator], parts: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from parts
    except httpx.HTTPError as error:
        reader: Final = stream()
        if reader is not None and reader.completed_response is None:
            raise _broken_off(reader, error) from error


async def _awhole(
    stream: ReferenceType[BaseResponsesAPIStreamingIterator], parts: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    try:
        async for part in parts:
            yield part
    except httpx.HTTPError as error:
        reader: Final = stream()
        if reader is not None and reader.completed_response is None:
            raise _broken_off(reader, error) from error


def _broken_off(
    stream: BaseResponsesAPIStreamingIterator, error: httpx.HTTPError
) -> litellm.Timeout | MidStreamFallbackError:
    model, provider = stream.model or "", stream.custom_llm_provider or ""
    reason: Final = f"the Responses stream broke off: {str(error) or type(error).__name__}"
    original: Final = (
        litellm.Timeout(message=reason, model=model, llm_provider=provider)
        if isinstance(error, httpx.TimeoutException)
        else litellm.APIConnectionError(message=reason, model=model, llm_provider=provider)
    )
    has_fallbacks: Final = "model_group" in (stream.litellm_metadata or {})
    if isinstance(original, litellm.Timeout) and (stream._output_started or not has_fallbacks):
        return original
    return MidStreamFallbackError(
        message=str(original),
        model=model,
        llm_provider=provider,
        original_exception=original,
        generated_content=stream._generated_content,
        is_pre_first_chunk=not stream._yielded_first_chunk,
    )
