"""The members of two enums are listed again for every call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.types.utils import DynamicPromptManagementParamLiteral, LlmProviders

EDIT = Edit(__name__, __doc__, patch="listed-enums", speed=True)


def providers() -> object:
    return [provider.value for provider in LlmProviders]


@EDIT.instead_of(providers, "litellm/main.py", "completion")
@EDIT.instead_of(providers, "litellm/utils.py", "get_optional_params")
def known_providers() -> object:
    return LlmProviders._value2member_map_


def params(cls: type[DynamicPromptManagementParamLiteral]) -> object:
    return [param.value for param in cls]


@EDIT.instead_of(params, "litellm/types/utils.py", "DynamicPromptManagementParamLiteral.list_all_params")
def known_params(cls: type[DynamicPromptManagementParamLiteral]) -> object:
    return [*cls._value2member_map_]
