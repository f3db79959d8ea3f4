"""
The proxy's pass-through routes of both providers, which its router of pass-through routes includes.
"""

from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Depends, Request, Response

from litellm.proxy._types import UserAPIKeyAuth
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

METHODS: Final = ["GET", "POST", "PUT", "DELETE", "PATCH"]
Caller: TypeAlias = Annotated[UserAPIKeyAuth, Depends(user_api_key_auth)]

router: Final = APIRouter()


@router.api_route("/remodlai/{endpoint:path}", methods=METHODS, tags=["Lexiq Nova Pass-through", "pass-through"])
async def remodlai_proxy_route(
    endpoint: str, request: Request, fastapi_response: Response, user_api_key_dict: Caller
) -> Response:
    """
    [Docs](https://docs.litellm.ai/docs/providers/remodlai)
    """
    # That module imports upstream's, which includes this router.
    from .route import relay

    return await relay("remodlai", endpoint, request, fastapi_response, user_api_key_dict)


@router.api_route("/lexiq_nova/{endpoint:path}", methods=METHODS, tags=["Lexiq Nova Pass-through", "pass-through"])
async def lexiq_nova_proxy_route(
    endpoint: str, request: Request, fastapi_response: Response, user_api_key_dict: Caller
) -> Response:
    """
    [Docs](https://docs.litellm.ai/docs/providers/remodlai)
    """
    from .route import relay

    return await relay("lexiq_nova", endpoint, request, fastapi_response, user_api_key_dict)
