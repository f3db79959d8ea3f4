"""
Counting of tokens by the server that a model's name means, for `litellm.token_counter`.
"""

import asyncio
from collections.abc import Mapping, Sequence

from litellm.litellm_core_utils.own_providers import own_provider_of


def count_of_own_server(
    model: str,
    text: str | list[str] | None,
    messages: Sequence[Mapping[str, object]] | None,
    tools: Sequence[Mapping[str, object]] | None,
) -> int | None:
    """
    Asks the server of a model for a count.

    Args:
        model: with the provider's prefix.
        text: a text, or the parts of one.
        messages: of a chat, where there is no text.
        tools: of the chat.

    Returns:
        The count; None where the model is another provider's, no server is configured, or it cannot count. None in an
        event loop too, which must not wait: `litellm.acount_tokens` is for that.
    """
    provider = own_provider_of((), {"model": model})
    if provider is None or _in_event_loop():
        return None
    # The provider's classes import LiteLLM, which is not complete when it imports this.
    from litellm.llms.remodlai.common_utils import token_counter_of

    counter = token_counter_of(provider)
    name = model.removeprefix(f"{provider}/")
    if text is not None:
        parts = [text] if isinstance(text, str) else text
        return counter.count({"model": name, "prompt": "".join(parts), "add_special_tokens": False})
    if not messages:
        return None
    return counter.count({"model": name, "messages": [*messages], **({"tools": [*tools]} if tools else {})})


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
