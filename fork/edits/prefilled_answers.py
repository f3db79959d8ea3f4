"""
A prefilled last message of the assistant was answered with another turn; Anthropic's API continues it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.prefilled_answers import continued

EDIT = Edit(__name__, __doc__, patch="fix-prefilled-answers")
_FUNCTION = "LiteLLMMessagesToCompletionTransformationHandler._prepare_completion_kwargs"


def prepared(completion_kwargs: dict[str, object], tool_name_mapping: dict[str, str]) -> object:
    return completion_kwargs, tool_name_mapping


@EDIT.instead_of(prepared, "litellm/llms/anthropic/pass_through/adapters/handler.py", _FUNCTION, releases="<1.109")
@EDIT.instead_of(prepared, "litellm/llms/anthropic/messages/adapters/handler.py", _FUNCTION, releases=">=1.109")
def prefilled(completion_kwargs: dict[str, object], tool_name_mapping: dict[str, str]) -> object:
    return continued(completion_kwargs), tool_name_mapping
