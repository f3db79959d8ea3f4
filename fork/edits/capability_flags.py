"""
A deployment's flags about its model (`supports_vision`) were sent to the server as parameters of the call.
"""

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="fix-capability-flags")


def withheld(k: str, withheld_params: frozenset[str]) -> object:
    return k not in withheld_params


@EDIT.instead_of(withheld, "litellm/utils.py", "add_provider_specific_params_to_optional_params")
def no_flag(k: str, withheld_params: frozenset[str]) -> object:
    return k not in withheld_params and not k.startswith("supports_")
