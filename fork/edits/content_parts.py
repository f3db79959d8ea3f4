"""
Content parts that vLLM takes were refused, and one that nobody takes was a plain Exception that did not name it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.exceptions import BadRequestError
    from litellm.litellm_core_utils import content_parts

EDIT = Edit(__name__, __doc__, patch="fix-content-parts")
_FUNCTION = "validate_chat_completion_user_messages"


def valid(item: dict[str, object], ValidUserMessageContentTypes: list[str]) -> object:
    return item.get("type") not in ValidUserMessageContentTypes


@EDIT.instead_of(valid, "litellm/utils.py", _FUNCTION)
def known(item: dict[str, object], ValidUserMessageContentTypes: list[str]) -> object:
    return not content_parts.is_known(item, ValidUserMessageContentTypes)


def unnamed(idx: int) -> None:
    raise Exception(
        f"Invalid user message at index {idx}. "
        "Please ensure all user messages are valid OpenAI chat completion messages."
    )


@EDIT.instead_of(unnamed, "litellm/utils.py", _FUNCTION)
def named(idx: int, e: Exception) -> None:
    raise BadRequestError(
        message=(
            f"Invalid user message at index {idx}: {e}. "
            "Please ensure all user messages are valid OpenAI chat completion messages."
        ),
        model="",
        llm_provider="",
    )
