"""
The error class of the two providers, and what its messages add for whoever configured the server.
"""

from typing import Final

import httpx

from litellm.llms.base_llm.chat.transformation import BaseLLMException
from litellm.llms.remodlai.diagnosis import known_cause, why_unreadable
from litellm.llms.remodlai.keys import hidden, hidden_in
from litellm.llms.remodlai.places import key_names, owner_of, place_of, without_secrets

ENGINE_SCHEME: Final = "lexiq-nova://"


class LexiqNovaError(BaseLLMException):
    """An answer of a Lexiq Nova server that is not a success, or the reason why no server could be reached."""

    def __init__(self, status_code: int, message: str, headers: dict[str, str] | httpx.Headers | None = None) -> None:
        # Some servers repeat the key that they refuse.
        super().__init__(status_code=status_code, message=hidden(message), headers=headers and hidden_in(headers))


def explained(message: str, status_code: int, answered: bool, provider: str, base: str, has_key: bool) -> str:
    """
    Adds to an error what only the caller's side knows: the server that was asked, and why it may have failed.

    Args:
        message: what the server said, or what the HTTP client said instead of an answer.
        status_code: of the answer; 500 where there was none.
        answered: whether a server answered.
        provider: whose call it was.
        base: the server that was asked.
        has_key: whether a key was sent.

    Returns:
        The message, with its explanation in brackets behind it where there is one.
    """
    if base.startswith(ENGINE_SCHEME):
        return message  # the local engine's errors say all of it
    place: Final = place_of(provider, base)
    lacks_key: Final = status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) and not has_key
    cause: Final = _cause(message, answered, key_names(owner_of(provider, place)) if lacks_key else None)
    return message if cause is None else f"{message} [{without_secrets(base)} from {place}: {cause}]"


def _cause(message: str, answered: bool, missing_key: str | None) -> str | None:
    if not answered:
        return known_cause(message) or "it could not be asked"
    if missing_key is not None:
        return f"no key is set; give one by {missing_key}"
    return why_unreadable(message)
