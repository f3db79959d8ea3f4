"""A synchronous Anthropic stream over a chat completion ends as a whole answer where the server's breaks off."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm._logging import verbose_logger
    from litellm.litellm_core_utils.stream_errors import says_errors

EDIT = Edit(__name__, __doc__, patch="broken-messages")
STREAMS = "litellm/llms/anthropic/pass_through/adapters/streaming_iterator.py"
STREAMS_1_109 = "litellm/llms/anthropic/messages/adapters/streaming_iterator.py"


def ended(e: Exception) -> None:
    verbose_logger.error("Anthropic Adapter - %s\n%s", e, traceback.format_exc())
    raise StopIteration


@EDIT.instead_of(ended, STREAMS, "AnthropicStreamWrapper", releases="<1.109")
@EDIT.instead_of(ended, STREAMS_1_109, "AnthropicStreamWrapper", releases=">=1.109")
def broken_off(e: Exception) -> None:
    verbose_logger.error("Anthropic Adapter - %s\n%s", e, traceback.format_exc())
    raise


@EDIT.decorator(STREAMS, "AnthropicStreamWrapper.anthropic_sse_wrapper", releases="<1.109")
@EDIT.decorator(STREAMS_1_109, "AnthropicStreamWrapper.anthropic_sse_wrapper", releases=">=1.109")
def events() -> object:
    return says_errors
