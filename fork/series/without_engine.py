"""
What a call without a server reaches: nothing.
"""

from typing import Final

import httpx

from litellm.llms.remodlai.errors import LexiqNovaError
from litellm.llms.remodlai.places import base_names


def no_server(provider: str) -> LexiqNovaError:
    """Returns the error of a provider's call that names no server, where none is configured."""
    text: Final = f"{provider}: no server is configured. Name one: {base_names(provider)}."
    return LexiqNovaError(status_code=httpx.codes.BAD_REQUEST, message=text)


def base_of(provider: str, model: str) -> str:
    """
    The base of a call that names no server.

    Args:
        provider: whose call it is, for the error.
        model: name as the server knows it; not used.

    Raises:
        LexiqNovaError: always.
    """
    raise no_server(provider)


def running_base(model: str) -> str | None:
    """None: nothing runs here."""
    return None


def models_of(provider: str) -> list[str]:
    """
    The models that a call without a server may name.

    Raises:
        LexiqNovaError: always.
    """
    raise no_server(provider)


def deployment_of(model: str) -> str | None:
    """None: no deployment runs here."""
    return None
