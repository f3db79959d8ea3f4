"""
Errors of calls that an engine of this machine cannot answer.
"""

from typing import Final

import httpx

from litellm.llms.remodlai.errors import LexiqNovaError
from litellm.llms.remodlai.places import BASES, base_names


def failure(message: str, status_code: int = httpx.codes.SERVICE_UNAVAILABLE) -> LexiqNovaError:
    """Returns the error of a call that an engine of this machine cannot answer."""
    # A model's name, or an option, may have characters that no answer can carry.
    sendable: Final = message.encode(errors="backslashreplace").decode()
    return LexiqNovaError(status_code=status_code, message=f"lexiq_nova: {sendable}")


class NoEngine(LexiqNovaError):
    """
    No server is configured, and no engine can be started: the message says both ways out.

    Args:
        provider: whose call it was; the engine knows it only as its own.
    """

    def __init__(self, provider: str = "lexiq_nova") -> None:
        super().__init__(status_code=httpx.codes.BAD_REQUEST, message=f"{provider}: {without_engine(provider)}")


def without_engine(provider: str) -> str:
    """Says how a call that names no server can be answered on a machine without vLLM: what stands in `NoEngine`."""
    unread: Final = [name for name, value in BASES["remodlai"] if (name, value) not in BASES[provider] and value()]
    aside: Final = f" ({', '.join(unread)} is set, and only remodlai/ reads it.)" if unread else ""
    return (
        f"no server is configured and vllm is not installed. Either name a server ({base_names(provider)}), or "
        f"`pip install vllm` to serve the model on this machine.{aside}"
    )
