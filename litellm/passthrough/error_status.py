"""The status of a pass-through's error, where the Router reads it: else it sends a bad request three times."""

from collections.abc import Awaitable
from typing import TypeVar

import httpx

from litellm.litellm_core_utils.own_providers import OWN_SERVER_PROVIDERS

Answer = TypeVar("Answer")  # rebind-ok: mypy takes no Final TypeVar


async def with_error_status(answer: Awaitable[Answer], provider: str | None) -> Answer:
    """
    Awaits an answer. The error that its status raises has the attribute `status_code`, for the providers whose servers
    are the caller's own.

    Args:
        answer: what a pass-through sends.
        provider: name of the provider that is asked.

    Raises:
        httpx.HTTPStatusError: the server refused the request.
    """
    try:
        return await answer
    except httpx.HTTPStatusError as error:
        if provider in OWN_SERVER_PROVIDERS:
            vars(error)["status_code"] = error.response.status_code
        raise
