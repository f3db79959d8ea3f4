"""
A transport for `lexiq-nova://` URLs: upstream's clients mount it for that scheme, so every endpoint, sync, async or
streamed, is answered by the Unix socket of the engine that the URL names.
"""

import asyncio
import atexit
import os
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Final

import aiohttp
import httpx

from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport
from litellm.llms.remodlai.engine.answer import answer, says_it_is_well
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.errors import LexiqNovaError

IDLE_CONNECTION_SECONDS: Final = 60.0
IDLE_CONNECTIONS: Final = 100
# What the openai package sends with each request.
OPENAI_HEADER: Final = "x-stainless-lang"


def _refused(request: httpx.Request, error: LexiqNovaError) -> httpx.Response:
    """The answer for an engine that is not there: every kind of client tells an answer's text, not an exception's."""
    headers: Final = dict(error.headers or {})
    if OPENAI_HEADER not in request.headers:
        return httpx.Response(error.status_code, headers=headers, text=error.message, request=request)
    # The openai package would try a failed start twice more, and tells no text but that of an error object.
    headers["x-should-retry"] = "false"
    answer: Final = {"error": {"message": error.message, "type": type(error).__name__, "code": error.status_code}}
    return httpx.Response(error.status_code, headers=headers, json=answer, request=request)


def _at_once(call: Coroutine[object, None, httpx.Response]) -> httpx.Response:
    """Runs a coroutine that waits for no event loop."""
    try:
        call.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("a synchronous call waited for an event loop")


class _SocketTransport(LiteLLMAiohttpTransport):
    """Upstream's asynchronous transport over one Unix socket, where HTTP proxies have no place."""

    def __init__(self, path: Path) -> None:
        def connect() -> aiohttp.ClientSession:
            connector: Final = aiohttp.UnixConnector(path=str(path), limit=0, keepalive_timeout=IDLE_CONNECTION_SECONDS)
            return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

        super().__init__(client=connect)

    async def _get_proxy_settings(self, request: httpx.Request) -> None:
        return None

    def drop(self) -> None:
        """Closes the connections of an event loop that is gone."""
        if isinstance(self.client, aiohttp.ClientSession):
            self._mark_connector_closed(self.client)


class LocalEngineTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """
    Sends requests to the engine that their URL names, and starts it if it is not there.

    An engine that cannot be started answers as a server would: with an HTTP status and the reason as text; with 408
    if it is not ready within the request's own timeout (it goes on loading). Raises what httpx's transports raise.
    """

    def __init__(self) -> None:
        self._sync: dict[Path, httpx.HTTPTransport] = {}
        self._async: dict[asyncio.AbstractEventLoop, dict[Path, _SocketTransport]] = {}
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._drop, everything=True)

    def _forget(self) -> None:
        # A connection that two processes share would mix up their answers. The parent's are kept, not closed.
        self._parents = (self._sync, self._async)
        self._sync, self._async = {}, {}

    def _drop(self, everything: bool = False) -> None:
        for loop in [loop for loop in self._async if everything or loop.is_closed()]:
            for transport in self._async.pop(loop).values():
                transport.drop()

    def _to(self, engine: Engine) -> httpx.HTTPTransport:
        if (known := self._sync.get(engine.socket)) is not None:
            return known
        limits: Final = httpx.Limits(
            max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=IDLE_CONNECTION_SECONDS
        )
        return self._sync.setdefault(engine.socket, httpx.HTTPTransport(uds=str(engine.socket), limits=limits))

    def _async_to(self, engine: Engine) -> _SocketTransport:
        loop: Final = asyncio.get_running_loop()
        if loop not in self._async:
            self._drop()
        transports: Final = self._async.setdefault(loop, {})
        if engine.socket not in transports:
            transports[engine.socket] = _SocketTransport(engine.socket)
        return transports[engine.socket]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def send(engine: Engine, request: httpx.Request, whole: bool = False) -> httpx.Response:
            response: Final = self._to(engine).handle_request(request)
            if whole or response.is_error:
                response.read()
            return response

        async def pause(seconds: float) -> None:
            time.sleep(seconds)

        request.read()
        try:
            return _at_once(answer(request, send, pause))
        except LexiqNovaError as error:
            return _refused(request, error)

    async def _send(self, engine: Engine, request: httpx.Request, whole: bool = False) -> httpx.Response:
        response: Final = await self._async_to(engine).handle_async_request(request)
        if whole or response.is_error:
            await response.aread()
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        try:
            return await answer(request, self._send, asyncio.sleep)
        except LexiqNovaError as error:
            return _refused(request, error)

    async def is_healthy(self, engine: Engine) -> bool:
        """Whether a running engine says that it is well; that is no call, and starts none."""
        return await says_it_is_well(engine, self._send)


TRANSPORT: Final = LocalEngineTransport()
