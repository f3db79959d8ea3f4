"""
The first call of Anthropic messages loads the whole proxy, to ask it for its Router, where no proxy is running.

That takes seconds, and leaves a callback behind that every later call is told to.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.router import Router

EDIT = Edit(__name__, __doc__, patch="proxy-not-loaded", speed=True)


@EDIT.start("litellm/llms/anthropic/pass_through/adapters/handler.py", "_proxy_router_fallback", releases="<1.109")
@EDIT.start("litellm/llms/anthropic/messages/adapters/handler.py", "_proxy_router_fallback", releases=">=1.109")
def unless_loaded() -> Router | None:
    if "litellm.proxy.proxy_server" not in sys.modules:
        return None
