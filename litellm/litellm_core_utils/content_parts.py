"""
Parts of a user's message that LiteLLM passes on: OpenAI's, and those of servers that take more.
"""

from collections.abc import Collection, Mapping
from typing import Final

# vLLM's, each also by the mere key (`{"image_url": "https://..."}`): vllm/renderers/chat_utils.py, MM_PARSER_MAP.
MEDIA: Final = frozenset(
    {
        "audio_embeds",
        "audio_url",
        "image_embeds",
        "image_url",
        "input_audio",
        "prompt_embeds",
        "video_embeds",
        "video_url",
    }
)
_MORE: Final = MEDIA | {"tool_reference"}


def is_known(part: Mapping[str, object], types: Collection[str]) -> bool:
    """
    Whether a part of a message is one that a server may take; `input_text` and such are the Responses API's.

    Args:
        part: the part.
        types: OpenAI's.
    """
    kind: Final = part.get("type")
    return kind in types or kind in _MORE or (kind is None and not MEDIA.isdisjoint(part))
