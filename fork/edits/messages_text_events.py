"""
A quarter of what an event of an Anthropic stream costs is to ask each chunk, field by field, for what is not text, most
of which pydantic models do not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.text_chunks import only_text
    from litellm.types.llms.anthropic import ContentTextBlockDelta
    from litellm.types.utils import ModelResponseStream, StreamingChoices

EDIT = Edit(__name__, __doc__, patch="messages-text-events", speed=True)
OLD, NEW = "litellm/llms/anthropic/pass_through/adapters/", "litellm/llms/anthropic/messages/adapters/"
SPLIT = "_CombinedChunkSplitter._split_by_payload_kind"
BLOCK = "LiteLLMAnthropicMessagesAdapter.translate_streaming_openai_chunk_to_anthropic_content_block"
DELTA = "LiteLLMAnthropicMessagesAdapter._translate_streaming_openai_chunk_to_anthropic"


@EDIT.start(f"{OLD}streaming_iterator.py", SPLIT, releases="<1.109")
@EDIT.start(f"{NEW}streaming_iterator.py", SPLIT, releases=">=1.109")
def whole(chunk: ModelResponseStream) -> tuple[ModelResponseStream, ...]:
    if only_text(getattr(chunk, "choices", None) or ()) is not None:
        return (chunk,)


@EDIT.start(f"{OLD}transformation.py", BLOCK, releases="<1.109")
@EDIT.start(f"{NEW}transformation.py", BLOCK, releases=">=1.109")
def block(choices: list[StreamingChoices]) -> tuple[Literal["text"], dict[str, str]]:
    if only_text(choices) is not None:
        return "text", {"type": "text", "text": ""}


@EDIT.start(f"{OLD}transformation.py", DELTA, releases="<1.109")
@EDIT.start(f"{NEW}transformation.py", DELTA, releases=">=1.109")
def delta(choices: list[StreamingChoices]) -> tuple[Literal["text_delta"], ContentTextBlockDelta]:
    if (only := only_text(choices)) is not None:
        return "text_delta", ContentTextBlockDelta(type="text_delta", text=only)
