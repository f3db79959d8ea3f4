"""
An asynchronous stream from the cache kept the content of the answer's message and lost the rest, its reasoning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.types.utils import Delta

EDIT = Edit(__name__, __doc__, patch="fix-cached-reasoning")


def of_content(choice: dict[str, Any]) -> object:
    return Delta(
        content=choice["message"].get("content", None),
        role=choice["message"]["role"],
        function_call=choice["message"].get("function_call", None),
        tool_calls=choice["message"].get("tool_calls", None),
    )


@EDIT.instead_of(
    of_content,
    "litellm/litellm_core_utils/llm_response_utils/convert_dict_to_response.py",
    "convert_to_streaming_response_async",
)
def of_message(choice: dict[str, Any]) -> object:
    return Delta(**choice["message"])
