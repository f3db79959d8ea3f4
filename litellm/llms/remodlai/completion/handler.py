"""The client of the openai package through which upstream asks for text completions, for calls to the local engine."""

from typing import Final

import httpx
from openai import AsyncOpenAI, OpenAI

from litellm.constants import PLACEHOLDER_API_KEY
from litellm.llms.custom_httpx.collector_safe_client import CollectorSafeClient
from litellm.llms.remodlai.engine.transport import TRANSPORT


def openai_client(base: str, timeout: float | httpx.Timeout | None, is_async: bool) -> OpenAI | AsyncOpenAI:
    """
    Makes a client that reaches the local server.

    Args:
        base: as `engine.address.local_server` gives it.
        timeout: of the call, in seconds.
        is_async: whether the call awaits its answer.
    """
    if is_async:
        asynchronous: Final = httpx.AsyncClient(transport=TRANSPORT)
        return AsyncOpenAI(
            base_url=base, api_key=PLACEHOLDER_API_KEY, http_client=asynchronous, timeout=timeout, max_retries=0
        )
    synchronous: Final = CollectorSafeClient(transport=TRANSPORT)
    return OpenAI(base_url=base, api_key=PLACEHOLDER_API_KEY, http_client=synchronous, timeout=timeout, max_retries=0)
