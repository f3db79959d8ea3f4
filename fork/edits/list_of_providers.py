"""The list of all providers is built again for every call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.types.utils import LlmProviders

EDIT = Edit(__name__, __doc__, patch="shared-lookups", speed=True)


def listed() -> object:
    return [provider.value for provider in LlmProviders]


@EDIT.instead_of(listed, "litellm/main.py", "completion")
@EDIT.instead_of(listed, "litellm/utils.py", "get_optional_params")
def mapped() -> object:
    return LlmProviders._value2member_map_
