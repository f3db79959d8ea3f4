"""
How LiteLLM's clients reach the local engine: a transport for its scheme, mounted beside the proxies of the environment.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar

import httpx

Transport = TypeVar("Transport", bound=httpx.BaseTransport | httpx.AsyncBaseTransport)  # rebind-ok: a TypeVar


class LocalEngineTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Requests to lexiq-nova:// go to the vLLM of this machine, which is started when it is needed."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # The engine's modules are loaded with the first call that needs them.
        from litellm.llms.remodlai.engine.transport import TRANSPORT

        return TRANSPORT.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from litellm.llms.remodlai.engine.transport import TRANSPORT

        return await TRANSPORT.handle_async_request(request)


LOCAL_ENGINE_MOUNTS: Final = MappingProxyType({"lexiq-nova://": LocalEngineTransport()})


def with_local_engine(
    mounts: Mapping[str, Transport | None] | None,
) -> Mapping[str, Transport | LocalEngineTransport | None]:
    """
    Adds the local engine to a client's mounts.

    Args:
        mounts: transports by URL pattern, as httpx takes them.
    """
    return {**(mounts or {}), **LOCAL_ENGINE_MOUNTS}
