"""
Which local server a `lexiq_nova` call reaches, and how: a transport for `lexiq-nova://` URLs.

The base of a call without a configured server is `lexiq-nova://<engine>/v1`. Upstream's clients mount the transport
below for that scheme, so every endpoint, sync, async or streamed, is answered by the engine's Unix socket. An engine
that does not listen is started; one that died or is broken is replaced and the request sent once more.
"""

import asyncio
import os
import weakref
from collections.abc import AsyncIterator, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import httpx

from litellm.constants import PLACEHOLDER_API_KEY
from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport
from litellm.llms.remodlai.engine import Engine, failure, running_engine

SCHEME: Final = "lexiq-nova"
# Stands for no engine in particular: endpoints that name no model.
ANY: Final = "local"
# vLLM's answer to every call once its engine process is dead; its own server ends some seconds later, or never.
DEAD_INSIDE: Final = b"EngineCore encountered an issue"
LEAVING: Final = b"leaving"
# A request goes out again after an engine left or was found dead; more often than this something else is wrong.
ATTEMPTS: Final = 3

_ENGINES: dict[str, Engine] = {}


@dataclass(frozen=True)
class Server:
    """
    Where a call goes.

    Args:
        base: base URL, with the path of the API's version.
        key: what upstream puts into the Authorization header; the engine asks for none.
    """

    base: str
    key: str


def local_server(model: str, engine_args: Mapping[str, object] | str | None = None) -> Server:
    """
    The local server of a model. Starts nothing: the first request to it does.

    Args:
        model: directory or model id, without the provider's prefix; empty where the endpoint names none.
        engine_args: vLLM options (`{"max_model_len": 2048}`), beside those of `LEXIQ_NOVA_ENGINE_ARGS`.

    Returns:
        A base that only the transport of this module understands.

    Raises:
        LexiqNovaError: vLLM is not installed, or an option cannot be used.
    """
    if not model:
        return Server(f"{SCHEME}://{ANY}/v1", PLACEHOLDER_API_KEY)
    engine = Engine.of(model, engine_args)
    _ENGINES[engine.name] = engine
    return Server(f"{SCHEME}://{engine.name}/v1", PLACEHOLDER_API_KEY)


def engine_of(url: httpx.URL) -> Engine:
    """
    The engine that a `lexiq-nova://` URL names.

    Raises:
        LexiqNovaError: the URL names none, and not exactly one engine is running.
    """
    engine = _ENGINES.get(url.host)
    if engine is None:
        engine = running_engine(None if url.host == ANY else url.host)
    if engine is None:
        raise failure("this call names no model, and there is not exactly one running engine that it could mean", 400)
    return engine


class _SocketTransport(LiteLLMAiohttpTransport):
    """Upstream's transport over one Unix socket, where HTTP proxies have no place."""

    def __init__(self, path: str) -> None:
        def connect() -> aiohttp.ClientSession:
            connector = aiohttp.UnixConnector(path=path, limit=0, keepalive_timeout=IDLE_CONNECTION_SECONDS)
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

    Raises, beside what httpx's transports raise: LexiqNovaError if the engine cannot be started; httpx.ReadTimeout
    if it is not ready within the request's own timeout (it goes on loading).
    """

    def __init__(self) -> None:
        self._forget_connections()
        # A connection shared by two processes would mix up their answers.
        os.register_at_fork(after_in_child=self._forget_connections)
        atexit.register(self._drop_closed_loops, everything=True)

    def _forget_connections(self) -> None:
        self._inherited = getattr(self, "_sync", None), getattr(self, "_async", None)  # the parent still uses them
        self._sync: dict[Path, httpx.HTTPTransport] = {}
        self._async: dict[asyncio.AbstractEventLoop, dict[Path, _SocketTransport]] = {}

    def _drop_closed_loops(self, everything: bool = False) -> None:
        for loop in [loop for loop in self._async if everything or loop.is_closed()]:
            for transport in self._async.pop(loop).values():
                transport.drop()

    def _sync_transport(self, engine: Engine) -> httpx.HTTPTransport:
        transport = self._sync.get(engine.socket)
        if transport is None:
            limits = httpx.Limits(max_keepalive_connections=100, keepalive_expiry=IDLE_CONNECTION_SECONDS)
            transport = self._sync.setdefault(engine.socket, httpx.HTTPTransport(uds=str(engine.socket), limits=limits))
        return transport

    def _async_transport(self, engine: Engine) -> _SocketTransport:
        loop = asyncio.get_running_loop()
        if loop not in self._async:
            self._drop_closed_loops()
        transports = self._async.setdefault(loop, {})
        if engine.socket not in transports:
            transports[engine.socket] = _SocketTransport(str(engine.socket))
        return transports[engine.socket]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        engine = engine_of(request.url)
        steps = _steps(engine, request)
        outcome: Outcome = None
        with contextlib.closing(steps):
            while True:
                try:
                    pause = steps.send(outcome)
                except StopIteration as end:
                    return end.value
                outcome = None
                if pause is not SEND:
                    time.sleep(pause)
                    continue
                try:
                    outcome = self._sync_transport(engine).handle_request(_addressed(request))
                    if outcome.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                        outcome.read()
                except httpx.TransportError as error:
                    outcome = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        engine = engine_of(request.url)
        steps = _steps(engine, request)
        outcome: Outcome = None
        with contextlib.closing(steps):
            while True:
                try:
                    pause = steps.send(outcome)
                except StopIteration as end:
                    return end.value
                outcome = None
                if pause is not SEND:
                    await asyncio.sleep(pause)
                    continue
                try:
                    outcome = await self._async_transport(engine).handle_async_request(_addressed(request))
                    if outcome.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                        await outcome.aread()
                except httpx.TransportError as error:
                    outcome = error


TRANSPORT: Final = LocalEngineTransport()


def _addressed(request: httpx.Request) -> httpx.Request:
    """The same request as the engine's socket takes it."""
    headers = request.headers.copy()
    headers.pop("transfer-encoding", None)  # the body is read by now: it has a length
    return httpx.Request(
        request.method,
        request.url.copy_with(scheme="http"),
        headers=headers,
        content=request.content,
        extensions=request.extensions,
    )


def _steps(engine: Engine, request: httpx.Request) -> Generator[float, Outcome, httpx.Response]:
    """
    One call from the first attempt to its answer, for a driver that sleeps and sends, with or without an event loop.

    Yields:
        Seconds to pause, or SEND; the driver answers SEND with the response (its body read from 500 on) or with the
        error that came instead.

    Returns:
        The response that goes to the caller.
    """
    allowed = request.extensions.get("timeout", {}).get("read")
    sent_again = False
    for attempt in range(ATTEMPTS):
        if attempt:
            deadline = None if allowed is None else time.monotonic() + allowed
            for pause in engine.ensure(broken):
                if deadline is not None and time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"{engine.model} was not ready within {allowed} s", request=request)
                yield pause
        engine.use()
        outcome = yield SEND
        lost, broken = _lost(outcome)
        if not lost or outcome is None:
            break
        reached = not _never_sent(outcome)
        if reached and sent_again:
            break
        sent_again |= reached
    if isinstance(outcome, httpx.Response):
        if _lost(outcome)[1] is not None:
            message, _ = last_error(engine.log)
            raise failure(f"the engine for {engine.model} dies of this call: {message} (full log: {engine.log})", 500)
        return outcome
    raise outcome
