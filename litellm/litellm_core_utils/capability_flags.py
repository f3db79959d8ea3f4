"""Flags of a deployment about its model (`supports_vision`), which are LiteLLM's own and no parameters of a call."""

from collections.abc import Collection
from typing import Final

_FLAG: Final = "supports_"


def is_sent(name: str, withheld_params: Collection[str]) -> bool:
    """
    Whether a parameter goes to the server.

    Args:
        name: of the parameter.
        withheld_params: names of those that do not, besides flags.
    """
    return name not in withheld_params and not name.startswith(_FLAG)
