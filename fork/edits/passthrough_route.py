"""A path must stay under the base; an error of the server and a client's leaving must reach the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from fastapi import APIRouter

    from litellm.llms.remodlai.passthrough.endpoints import router as own_servers_router

EDIT = Edit(__name__, __doc__, patch="pass-through")


@EDIT.after("litellm/proxy/pass_through_endpoints/llm_passthrough_endpoints.py", "vllm_proxy_route")
def included(router: APIRouter) -> None:
    router.include_router(own_servers_router)
