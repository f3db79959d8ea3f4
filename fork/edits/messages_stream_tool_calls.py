"""
Pieces of several tool calls, in one chunk or side by side, became one block of an Anthropic stream, which then ended
with `end_turn` where the caller had named the tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit, Part

if TYPE_CHECKING:
    from litellm.litellm_core_utils.tool_calls_in_turn import ToolCallsInTurn
    from litellm.llms.anthropic.pass_through.adapters.streaming_iterator import _CombinedChunkSplitter

EDIT = Edit(__name__, __doc__, patch="fix-messages-stream-tool-calls")


def split(completion_stream: Part) -> object:
    return _CombinedChunkSplitter(completion_stream)


@EDIT.instead_of(
    split,
    "litellm/llms/anthropic/pass_through/adapters/streaming_iterator.py",
    "AnthropicStreamWrapper.__init__",
    releases="<1.109",
)
@EDIT.instead_of(
    split,
    "litellm/llms/anthropic/messages/adapters/streaming_iterator.py",
    "AnthropicStreamWrapper.__init__",
    releases=">=1.109",
)
def in_turn(completion_stream: Part) -> object:
    return ToolCallsInTurn(_CombinedChunkSplitter(completion_stream))
