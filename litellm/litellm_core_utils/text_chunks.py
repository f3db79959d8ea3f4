"""The most frequent chunk of a stream: the one that holds text and nothing else, told by one look at all its fields."""

from collections.abc import Sequence
from typing import Final

from litellm.types.utils import Delta


def only_text(choices: Sequence[object]) -> str | None:
    """
    Returns the text of a chunk that says nothing else.

    Args:
        choices: of the chunk.

    Returns:
        The content, or None where the chunk has none, or beside it another choice, a role, reasoning, a refusal, tool
        calls, fields of the provider's own, or anything that a later server may add.
    """
    delta: Final = getattr(choices[0], "delta", None) if len(choices) == 1 else None
    if type(delta) is not Delta:
        return None
    more: Final = delta.__pydantic_extra__ or {}
    said: Final = [*filter(None, delta.__dict__.values()), *filter(None, more.values())]
    content: Final = more.get("content")
    return content if len(said) == 1 and isinstance(content, str) and content else None
