"""
A deployment's flags about its model (`supports_vision`) were sent to the server as parameters of the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.capability_flags import is_sent

EDIT = Edit(__name__, __doc__, patch="fix-capability-flags")


def withheld(k: str, withheld_params: frozenset[str]) -> object:
    return k not in withheld_params


@EDIT.instead_of(withheld, "litellm/utils.py", "add_provider_specific_params_to_optional_params")
def no_flag(k: str, withheld_params: frozenset[str]) -> object:
    return is_sent(k, withheld_params)
