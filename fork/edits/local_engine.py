"""The local engine is reached by a transport of its own, whatever the endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit, Part

if TYPE_CHECKING:
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler, HTTPHandler
    from litellm.llms.custom_httpx.local_engine import LOCAL_ENGINE_MOUNTS, with_local_engine

EDIT = Edit(__name__, __doc__, patch="local-engine")

HANDLERS, OPENAI = "litellm/llms/custom_httpx/http_handler.py", "litellm/llms/openai/common_utils.py"


def async_mounts(transport: Part, verify: Part, cert: Part) -> object:
    return AsyncHTTPHandler.create_httpx_proxy_mounts(transport, verify=verify, cert=cert)


@EDIT.instead_of(async_mounts, HANDLERS, "AsyncHTTPHandler.create_client", releases=">=1.106, <1.109")
@EDIT.instead_of(async_mounts, OPENAI, "BaseOpenAILLM._get_async_http_client", releases=">=1.106")
def async_mounts_and_engine(transport: Part, verify: Part, cert: Part) -> object:
    return with_local_engine(
        AsyncHTTPHandler.create_httpx_proxy_mounts(transport, verify=verify, cert=cert),
    )


def earlier_async_mounts(AsyncHTTPHandler: Any, transport: Part, verify: Part, cert: Part) -> object:
    return AsyncHTTPHandler._create_httpx_proxy_mounts(transport, verify=verify, cert=cert)


@EDIT.instead_of(earlier_async_mounts, HANDLERS, "AsyncHTTPHandler.create_client", releases="<1.106")
@EDIT.instead_of(earlier_async_mounts, OPENAI, "BaseOpenAILLM._get_async_http_client", releases="<1.106")
def earlier_async_mounts_and_engine(AsyncHTTPHandler: Any, transport: Part, verify: Part, cert: Part) -> object:
    return with_local_engine(
        AsyncHTTPHandler._create_httpx_proxy_mounts(transport, verify=verify, cert=cert),
    )


def later_async_mounts(
    AsyncHTTPHandler: Any, transport: Part, verify: Part, cert: Part, http2: Part, limits: Part, trust_env: Part
) -> object:
    return (
        AsyncHTTPHandler.create_httpx_proxy_mounts(transport, verify=verify, cert=cert, http2=http2, limits=limits)
        if trust_env
        else None
    )


@EDIT.instead_of(later_async_mounts, HANDLERS, "AsyncHTTPHandler.create_client", releases=">=1.109")
def later_async_mounts_and_engine(
    AsyncHTTPHandler: Any, transport: Part, verify: Part, cert: Part, http2: Part, limits: Part, trust_env: Part
) -> object:
    return with_local_engine(
        AsyncHTTPHandler.create_httpx_proxy_mounts(
            transport,
            verify=verify,
            cert=cert,
            http2=http2,
            limits=limits,
        )
        if trust_env
        else None
    )


def mounts(self: HTTPHandler, verify: Part, cert: Part) -> object:
    return self._create_sync_proxy_mounts(verify=verify, cert=cert)


@EDIT.instead_of(mounts, HANDLERS, "HTTPHandler.create_client", releases="<1.109")
def mounts_and_engine(self: HTTPHandler, verify: Part, cert: Part) -> object:
    return with_local_engine(self._create_sync_proxy_mounts(verify=verify, cert=cert))


def later_mounts(self: Any, transport: Part, verify: Part, cert: Part, http2: Part) -> object:
    return self._create_sync_proxy_mounts(transport, verify=verify, cert=cert, http2=http2)


@EDIT.instead_of(later_mounts, HANDLERS, "HTTPHandler.create_client", releases=">=1.109")
def later_mounts_and_engine(self: Any, transport: Part, verify: Part, cert: Part, http2: Part) -> object:
    return with_local_engine(
        self._create_sync_proxy_mounts(transport, verify=verify, cert=cert, http2=http2),
    )


@EDIT.keyword(OPENAI, "BaseOpenAILLM._get_sync_http_client", beside="http2")
def mounted() -> object:
    return {"mounts": LOCAL_ENGINE_MOUNTS}
