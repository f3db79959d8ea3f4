"""A full garbage collection walks what importing and starting a proxy made, half a second in which no call moves on."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from fastapi import FastAPI

    from litellm.proxy.admin_mcp import admin_mcp_lifespan

EDIT = Edit(__name__, __doc__, patch="frozen-startup", speed=True, releases="<1.109")


async def started(admin_mcp_stack: AsyncExitStack, app: FastAPI) -> None:
    await admin_mcp_stack.enter_async_context(admin_mcp_lifespan(app))


@EDIT.behind(started, "litellm/proxy/proxy_server.py", "proxy_startup_event")
def frozen() -> None:
    # All of it lives as long as the proxy.
    gc.freeze()
