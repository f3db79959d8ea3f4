"""The callers of a proxy are its clients, who must not choose what is started on the proxy's machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.llms.remodlai.engine.permits import only_deployments

EDIT = Edit(__name__, __doc__, patch="local-engine")


@EDIT.start("litellm/proxy/proxy_server.py", "proxy_startup_event")
def restricted() -> None:
    only_deployments()
