"""
An asynchronous stream from the cache kept the content of the answer's message and lost the rest, its reasoning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit, Part

if TYPE_CHECKING:
    from litellm.types.utils import Delta

EDIT = Edit(__name__, __doc__, patch="fix-cached-reasoning", releases="<1.109")
_FILE = "litellm/litellm_core_utils/llm_response_utils/convert_dict_to_response.py"


def of_content(content: Part, role: Part, function_call: Part, tool_calls: Part) -> object:
    return Delta(content=content, role=role, function_call=function_call, tool_calls=tool_calls)


@EDIT.instead_of(of_content, _FILE, "convert_to_streaming_response_async", releases="<1.108")
def of_message(choice: dict[str, Any]) -> object:
    return Delta(**choice["message"])


@EDIT.keyword(_FILE, "_first_replay_delta", beside="content", releases=">=1.108")
def and_reasoning(message: dict[str, object]) -> object:
    return {"reasoning_content": None if (said := message.get("reasoning_content")) is None else str(said)}
