"""A client of the openai package for calls to the local engine."""

from typing import Final

import httpx
from openai import AsyncOpenAI, OpenAI

_LOCAL_ENGINE: Final = "lexiq-nova://"


def local_engine_client(
    api_base: str | None, timeout: float | httpx.Timeout | None, *, is_async: bool
) -> OpenAI | AsyncOpenAI | None:
    """
    Returns a client that reaches the local engine; None for a call to any other server.

    Args:
        api_base: the call's base.
        timeout: the call's, in seconds.
        is_async: whether the call awaits its answer.
    """
    if api_base is None or not api_base.startswith(_LOCAL_ENGINE):
        return None
    # The engine's modules are loaded with the first call that needs them.
    from litellm.llms.remodlai.completion.handler import openai_client

    return openai_client(api_base, timeout, is_async=is_async)
