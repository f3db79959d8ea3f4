"""Which server a deployment has is seen when its first call fails, or is answered by another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.llms.remodlai.startup import say_deployments
    from litellm.router import Router

EDIT = Edit(__name__, __doc__, patch="local-engine")


@EDIT.start("litellm/proxy/proxy_server.py", "ProxyStartupEvent.initialize_startup_logging")
def said(llm_router: Router | None) -> None:
    say_deployments(llm_router)
