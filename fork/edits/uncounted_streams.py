"""
A stream whose server reports no usage was logged and billed with 0 tokens.

Its wrapper notes the sum of what the chunks report, zeros where none does, and the sum was taken for a report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.reported_usage import reported
    from litellm.types.utils import ModelResponse, ModelResponseStream

BUILDER = "litellm/litellm_core_utils/streaming_chunk_builder_utils.py"
EDIT = Edit(__name__, __doc__, patch="fix-uncounted-streams", releases="<1.109")


def noted(chunk: ModelResponse | ModelResponseStream) -> object:
    return chunk.hidden_params.get("usage", None)


@EDIT.instead_of(noted, BUILDER, "ChunkProcessor._extract_usage_chunk")
def reported_in(chunk: ModelResponse | ModelResponseStream) -> object:
    return reported(chunk.hidden_params.get("usage", None))
