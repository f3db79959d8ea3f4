"""The Router reads an error's status from the error: without one it sends a bad request three times."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.passthrough.error_status import with_error_status

EDIT = Edit(__name__, __doc__, patch="pass-through")


async def awaited(init_response: Awaitable[object]) -> object:
    return await init_response


@EDIT.instead_of(awaited, "litellm/passthrough/main.py", "allm_passthrough_route")
async def with_its_status(init_response: Awaitable[object], custom_llm_provider: str | None) -> object:
    return await with_error_status(init_response, custom_llm_provider)
