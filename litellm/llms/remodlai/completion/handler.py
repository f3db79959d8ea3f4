"""
Which local server a `lexiq_nova` call reaches, and how: a transport for `lexiq-nova://` URLs.

The base of a call without a configured server is `lexiq-nova://<engine>/v1`. Upstream's clients mount the transport
below for that scheme, so every endpoint, sync, async or streamed, is answered by the engine's Unix socket. An engine
that does not listen is started; one that died or is broken is replaced and the request sent once more.
"""

import asyncio
import atexit
import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import aiohttp
import httpcore
import httpx
from openai import AsyncOpenAI, OpenAI

from litellm.constants import PLACEHOLDER_API_KEY
from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport
from litellm.llms.custom_httpx.collector_safe_client import CollectorSafeClient
from litellm.llms.remodlai import engine_permits
from litellm.llms.remodlai.engine import Engine, Pauses, max_calls, running_engines, vllm_is_here
from litellm.llms.remodlai.engine_advice import with_advice
from litellm.llms.remodlai.engine_log import last_error
from litellm.llms.remodlai.errors import LexiqNovaError, NoServer, failure

SCHEME: Final = "lexiq-nova"
# The host of a call that names no model: the one engine that is running.
ANY: Final = "local"
# vLLM's answer to every call once its engine process is dead; its own server ends some seconds later, or never.
DEAD_INSIDE: Final = "EngineCore encountered an issue"
HEALTH_SECONDS: Final = 10.0
ENGINE_HEADER: Final = "x-lexiq-nova-engine"
IDLE_CONNECTION_SECONDS: Final = 60.0
IDLE_CONNECTIONS: Final = 100
# How often one call may find no engine before something other than bad luck is the reason.
ATTEMPTS: Final = 5

# When to come again while an engine loads.
RETRY_SECONDS: Final = 10

# Calls of this process that wait for an engine, by its name.
_WAITING: Final[Counter[str]] = Counter()
# What this process has called, by the name that stands in URLs.
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
        LexiqNovaError: vLLM is not installed, an option cannot be used, or the model may not be used here.
    """
    if not model:
        return Server(f"{SCHEME}://{ANY}/v1", PLACEHOLDER_API_KEY)
    engine = Engine.of(model, engine_args)
    engine_permits.require(engine)
    _ENGINES[engine.name] = engine
    return Server(f"{SCHEME}://{engine.name}/v1", PLACEHOLDER_API_KEY)


def openai_client(base: str, timeout: float | httpx.Timeout | None, is_async: bool) -> OpenAI | AsyncOpenAI:
    """
    A client of the openai package that reaches the local server, for the endpoint that upstream asks through one.

    Args:
        base: as `local_server` gives it.
        timeout: of the call, in seconds.
        is_async: whether the call awaits its answer.
    """
    if is_async:
        asynchronous = httpx.AsyncClient(transport=TRANSPORT)
        return AsyncOpenAI(
            base_url=base, api_key=PLACEHOLDER_API_KEY, http_client=asynchronous, timeout=timeout, max_retries=0
        )
    synchronous = CollectorSafeClient(transport=TRANSPORT)
    return OpenAI(base_url=base, api_key=PLACEHOLDER_API_KEY, http_client=synchronous, timeout=timeout, max_retries=0)


def engine_of(url: httpx.URL) -> Engine:
    """
    The engine that a `lexiq-nova://` URL names; where it names none, the only one that is running.

    Raises:
        LexiqNovaError: there is none, or not exactly one.
    """
    if url.host in _ENGINES:
        return _ENGINES[url.host]
    if not vllm_is_here():
        raise NoServer
    running = [
        engine for engine in running_engines() if url.host in (ANY, engine.name) and engine_permits.allows(engine)
    ]
    if len(running) != 1:
        names = ", ".join(engine.model for engine in running) or "none"
        raise failure(f"this call names no model, and not exactly one engine is running ({names})", 400)
    return running[0]


class Fault(NamedTuple):
    """Why a request goes out again: whether an engine had it before, and the pid of one that must be replaced."""

    delivered: bool
    broken: int | None = None


Outcome = httpx.Response | httpx.TransportError


class Send(Protocol):
    """Asks an engine; reads the body of the answer if it is wanted `whole`, or if it is an error."""

    def __call__(
        self, engine: Engine, request: httpx.Request, whole: bool = False
    ) -> Coroutine[Any, Any, httpx.Response]: ...


Pause = Callable[[float], Awaitable[None]]


def _fault(outcome: Outcome) -> Fault | None:
    if isinstance(outcome, httpx.Response):
        engine = outcome.headers.get(ENGINE_HEADER, "")
        if engine == "leaving":
            return Fault(delivered=False)
        if engine.isdigit() and _says_dead_inside(outcome):
            return Fault(delivered=True, broken=int(engine))
        return None
    if isinstance(outcome, httpx.TimeoutException):
        return None
    # aiohttp's errors of a broken connection come as ConnectError too.
    refused = isinstance(outcome, httpx.ConnectError) and isinstance(
        outcome.__cause__, (aiohttp.ClientConnectorError, httpcore.ConnectError)
    )
    return Fault(delivered=not refused)


def _says_dead_inside(response: httpx.Response) -> bool:
    """Whether a response is vLLM's own error object for a dead engine process; a model's words may quote it."""
    if response.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
        return False
    try:
        answer = response.json()
    except ValueError:
        return False
    error = answer.get("error", answer) if isinstance(answer, dict) else None  # not nested before vLLM 0.10
    return isinstance(error, dict) and str(error.get("message")).startswith(DEAD_INSIDE)


def _recovery(engine: Engine, fault: Fault) -> Pauses:
    if fault.delivered:
        yield from engine.settle()
    yield from engine.ensure(fault.broken)


async def _outcome(call: Awaitable[httpx.Response]) -> Outcome:
    try:
        return await call
    except httpx.TransportError as error:
        return error


async def _is_healthy(engine: Engine, send: Send) -> bool:
    """Whether the engine itself says that its engine process lives."""
    url = f"http://{engine.name}/health"
    timeouts = httpx.Timeout(HEALTH_SECONDS).as_dict()
    request = httpx.Request("GET", url, extensions={"timeout": timeouts})
    outcome = await _outcome(send(engine, request, whole=True))
    return isinstance(outcome, httpx.Response) and outcome.is_success


@contextlib.contextmanager
def _waiting(engine: Engine) -> Iterator[None]:
    """Counts a call that waits for its engine; raises where as many are waiting as may."""
    limit = max_calls()
    if limit and _WAITING[engine.name] >= limit:
        text = f"{limit} calls are waiting for the engine of {engine.model} already (LEXIQ_NOVA_MAX_CALLS)"
        raise LexiqNovaError(429, f"lexiq_nova: {text}", headers={"retry-after": str(RETRY_SECONDS)})
    _WAITING[engine.name] += 1
    try:
        yield
    finally:
        _WAITING[engine.name] -= 1


def _require_name_of_adapter(engine: Engine, request: httpx.Request) -> None:
    """Passes what names the engine's model or an adapter: under any other name, vLLM would answer without adapter."""
    if not engine.adapters or "VLLM_ALLOW_RUNTIME_LORA_UPDATING" in dict(engine.environment):
        return
    try:
        body = json.loads(request.content)
    except ValueError:
        return  # a form; vLLM's own words fit it better
    if isinstance(body, dict) and body.get("model"):
        engine.require_name(str(body["model"]))


async def _answer(request: httpx.Request, send: Send, pause: Pause) -> httpx.Response:
    """
    One call from its first attempt to its answer, with or without an event loop: it waits only for its arguments.

    Args:
        request: its body has been read.
        send: asks an engine.
        pause: sleeps for some seconds.
    """
    engine = engine_of(request.url)
    _require_name_of_adapter(engine, request)
    allowed = request.extensions.get("timeout", {}).get("read")
    deadline = None if allowed is None else time.monotonic() + allowed
    delivered = False
    for _ in range(ATTEMPTS):
        engine.use()
        outcome = await _outcome(send(engine, _addressed(request)))
        fault = _fault(outcome)
        if fault is None or fault.broken is not None and await _is_healthy(engine, send):
            break
        if fault.delivered and delivered:
            message, _status = last_error(engine.log)
            text = f"the engine for {engine.model} died of this call twice: {message} (full log: {engine.log})"
            raise failure(text, 500)
        delivered |= fault.delivered
        with _waiting(engine), contextlib.closing(_recovery(engine, fault)) as pauses:
            for seconds in pauses:
                if deadline is not None and time.monotonic() > deadline:
                    text = f"the engine for {engine.model} was not ready in {allowed} s"
                    raise httpx.ReadTimeout(text, request=request)
                await pause(seconds)
    if isinstance(outcome, httpx.TransportError):
        raise outcome
    return with_advice(outcome) if outcome.is_client_error else outcome


def _refused(request: httpx.Request, error: LexiqNovaError) -> httpx.Response:
    """The answer for an engine that is not there: every kind of client tells an answer's text, not an exception's."""
    # The openai package would try a failed start twice more.
    headers = {**dict(error.headers or {}), "x-should-retry": "false"}
    return httpx.Response(error.status_code, headers=headers, text=error.message, request=request)


def _at_once(call: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
    """Runs a coroutine that waits for no event loop."""
    try:
        call.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("a synchronous call waited for an event loop")


def _addressed(request: httpx.Request) -> httpx.Request:
    """The same request as the engine's socket takes it; its body has been read."""
    headers = request.headers.copy()
    headers.pop("transfer-encoding", None)
    url = request.url.copy_with(scheme="http")
    return httpx.Request(request.method, url, headers=headers, content=request.content, extensions=request.extensions)


class _SocketTransport(LiteLLMAiohttpTransport):
    """Upstream's asynchronous transport over one Unix socket, where HTTP proxies have no place."""

    def __init__(self, path: Path) -> None:
        def connect() -> aiohttp.ClientSession:
            connector = aiohttp.UnixConnector(path=str(path), limit=0, keepalive_timeout=IDLE_CONNECTION_SECONDS)
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

    An engine that cannot be started answers as a server would: with an HTTP status and the reason as text. Raises
    what httpx's transports raise, and httpx.ReadTimeout if the engine is not ready within the request's own timeout
    (it goes on loading).
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
        transport = self._sync.get(engine.socket)
        if transport is None:
            limits = httpx.Limits(max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=IDLE_CONNECTION_SECONDS)
            transport = httpx.HTTPTransport(uds=str(engine.socket), limits=limits)
            transport = self._sync.setdefault(engine.socket, transport)
        return transport

    def _async_to(self, engine: Engine) -> _SocketTransport:
        loop = asyncio.get_running_loop()
        if loop not in self._async:
            self._drop()
        transports = self._async.setdefault(loop, {})
        if engine.socket not in transports:
            transports[engine.socket] = _SocketTransport(engine.socket)
        return transports[engine.socket]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def send(engine: Engine, request: httpx.Request, whole: bool = False) -> httpx.Response:
            response = self._to(engine).handle_request(request)
            if whole or response.is_error:
                response.read()
            return response

        async def pause(seconds: float) -> None:
            time.sleep(seconds)

        request.read()
        try:
            return _at_once(_answer(request, send, pause))
        except LexiqNovaError as error:
            return _refused(request, error)

    async def _send(self, engine: Engine, request: httpx.Request, whole: bool = False) -> httpx.Response:
        response = await self._async_to(engine).handle_async_request(request)
        if whole or response.is_error:
            await response.aread()
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        try:
            return await _answer(request, self._send, asyncio.sleep)
        except LexiqNovaError as error:
            return _refused(request, error)

    async def is_healthy(self, engine: Engine) -> bool:
        """Whether a running engine says that it is well; that is no call, and starts none."""
        return await _is_healthy(engine, self._send)


TRANSPORT: Final = LocalEngineTransport()
