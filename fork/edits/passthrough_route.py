"""A path must stay under the base; an error of the server and a client's leaving must reach the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from fastapi import Request, Response

    from litellm.proxy._types import UserAPIKeyAuth

EDIT = Edit(__name__, __doc__, patch="pass-through")


ROUTES = "litellm/proxy/pass_through_endpoints/llm_passthrough_endpoints.py"


@EDIT.body(ROUTES, "remodlai_proxy_route")
async def remodlai(
    endpoint: str, request: Request, fastapi_response: Response, user_api_key_dict: UserAPIKeyAuth
) -> Response:
    from litellm.llms.remodlai.passthrough.route import relay

    return await relay("remodlai", endpoint, request, fastapi_response, user_api_key_dict)


@EDIT.body(ROUTES, "lexiq_nova_proxy_route")
async def lexiq_nova(
    endpoint: str, request: Request, fastapi_response: Response, user_api_key_dict: UserAPIKeyAuth
) -> Response:
    from litellm.llms.remodlai.passthrough.route import relay

    return await relay("lexiq_nova", endpoint, request, fastapi_response, user_api_key_dict)
