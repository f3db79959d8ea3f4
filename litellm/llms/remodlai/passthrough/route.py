"""
What the proxy's routes `/remodlai/{endpoint}` and `/lexiq_nova/{endpoint}` do once the caller's key is checked.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable
from typing import Final

import httpx
from fastapi import HTTPException, Request, Response, status
from fastapi.responses import StreamingResponse

from litellm.litellm_core_utils.redirects import names_servers_async
from litellm.proxy import proxy_server
from litellm.proxy._types import ProxyException, UserAPIKeyAuth
from litellm.proxy.common_request_processing import _await_llm_call_cancelling_on_disconnect
from litellm.proxy.common_utils.http_parsing_utils import is_json_content_type, read_request_body
from litellm.proxy.pass_through_endpoints import llm_passthrough_endpoints as upstream

from ..diagnosis import chain, why_unreachable
from ..errors import LexiqNovaError
from ..keys import hidden
from ..local import deployment_of
from ..places import has_server
from .transformation import leaves_base

# More than a server says of an error; what follows is not sent on.
MAX_ERROR_BYTES: Final = 1024 * 1024


@names_servers_async
async def relay(
    provider: str, endpoint: str, request: Request, fastapi_response: Response, user_api_key_dict: UserAPIKeyAuth
) -> Response:
    """
    Sends a request on to the server and its answer back.

    Args:
        provider: the prefix of the route, whose environment names the server unless a JSON body names a router model.
        endpoint: what follows the prefix.
        request: the caller's request.
        fastapi_response: what FastAPI gives a route for headers of its own.
        user_api_key_dict: who the caller is.

    Returns:
        The server's answer, whatever its status; a stream as a stream.

    Raises:
        HTTPException: 400 where the path is not below the server's base; 404 where no server is configured and the
            model of the body is no deployment; 499 where the caller left and
            `cancel_on_disconnect` is set, which ends the call on the server too.
        ProxyException: no deployment of the model could be asked; 408 where the last one did not answer in time.
    """
    if leaves_base(endpoint):
        raise HTTPException(status_code=400, detail={"error": f"this path leaves the server's base: {endpoint!r}"})
    # Read before anybody listens for the caller's leaving, which is read from the same channel as the body.
    body: Final = await read_request_body(request)
    if not body:
        request._json = {}  # upstream parses the body of every POST; some routes have none
    router: Final = proxy_server.llm_router
    # A form is sent on as it came: it cannot name another model on its way.
    is_json: Final = is_json_content_type(request.headers.get("content-type", ""))
    is_of_router: Final = is_json and upstream.is_passthrough_request_using_router_model(body, router)
    model: Final = body["model"] if is_of_router else _model_on_this_machine(provider, body, is_json)
    answer: Final = (
        upstream._relay_router_model(
            llm_router=router,
            model=model,
            endpoint=endpoint,
            request=request,
            request_body=body,
            is_streaming_request=upstream.is_passthrough_request_streaming(body),
            user_api_key_dict=user_api_key_dict,
        )
        if router is not None and model is not None
        else upstream.llm_passthrough_factory_proxy_route(
            custom_llm_provider=provider,
            endpoint=endpoint,
            request=request,
            fastapi_response=fastapi_response,
            user_api_key_dict=user_api_key_dict,
        )
    )
    if proxy_server.general_settings.get("cancel_on_disconnect", False):
        return await _without_keys(_await_llm_call_cancelling_on_disconnect(request, asyncio.ensure_future(answer)))
    return await _without_keys(answer)


async def _without_keys(answer: Awaitable[Response]) -> Response:
    """The answer; an error that repeats the server's key, which the caller must not learn, shows asterisks for it."""
    try:
        response: Final = await answer
    except HTTPException as error:
        if isinstance(error.detail, str):
            error.detail = hidden(error.detail)
        raise
    except LexiqNovaError as error:
        raise _told(error) from error
    if response.status_code < status.HTTP_400_BAD_REQUEST:
        return response
    response.raw_headers = [(name, _hidden(value)) for name, value in response.raw_headers]
    if isinstance(response, StreamingResponse):
        response.body_iterator = _hidden_body(response.body_iterator)
    else:
        response.body = _hidden(bytes(response.body))
    return response


def _told(error: LexiqNovaError) -> ProxyException:
    """The error of a server that did not answer as the proxy's handlers tell it, which else hide it from the caller."""
    failed: Final = next((each for each in chain(error) if isinstance(each, httpx.TransportError)), None)
    code: Final = httpx.codes.REQUEST_TIMEOUT if isinstance(failed, httpx.TimeoutException) else error.status_code
    cause: Final = f" [{why_unreachable(failed)}]" if failed else ""
    return ProxyException(message=f"{error.message}{cause}", type="upstream_error", param=None, code=int(code))


def _hidden(data: bytes) -> bytes:
    # As Latin-1 every byte is one character, whatever the encoding; keys are ASCII and keep their length.
    return hidden(data.decode("latin-1")).encode("latin-1")


async def _hidden_body(parts: AsyncIterable[str | bytes | memoryview]) -> AsyncIterator[bytes]:
    body: Final = bytearray()
    async for part in parts:
        # Joined, since a key may be in two parts.
        body.extend(part.encode() if isinstance(part, str) else part)
        if len(body) > MAX_ERROR_BYTES:
            break
    yield _hidden(bytes(body[:MAX_ERROR_BYTES]))


def _model_on_this_machine(provider: str, body: object, is_json: bool) -> str | None:
    """
    The public name of the deployment that runs the model of a body, as its engine knows it, on this machine; None where
    the body names none, or the provider has a server.
    """
    if not isinstance(body, dict) or body.get("model") is None or has_server(provider):
        return None
    if not is_json:
        raise HTTPException(
            status_code=400, detail={"error": "an engine of this machine takes only JSON by this route"}
        )
    model: Final = str(body["model"])
    deployment: Final = deployment_of(model)
    if deployment is None:
        raise HTTPException(status_code=404, detail={"error": f"no deployment of this proxy runs {model!r}"})
    return deployment
