"""
Redirects: a call stays on the servers that it names.

httpx sends the body of a call once more to whatever host a `307` names. Providers whose prompts may go to a configured
server only say which server that is (`stay_on`); a redirect from it to another origin is then not followed. It becomes
a 502 that names both, so that each endpoint reports it as any other error of the server.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps
from typing import Final, ParamSpec, TypeVar

import httpx

import litellm

_P = ParamSpec("_P")  # rebind-ok: mypy takes no Final ParamSpec
_R = TypeVar("_R")  # rebind-ok: mypy takes no Final TypeVar
_Client = TypeVar("_Client", bound=httpx.Client | httpx.AsyncClient | None)  # rebind-ok: mypy takes no Final TypeVar

_KEPT_ON: Final = "kept_on"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

# Servers that the running call must stay on. A set belongs to one public call, whose nested calls and worker threads
# share it; a frozenset was named outside of any and holds until the next call of the same context.
_servers: Final[ContextVar[set[str] | frozenset[str]]] = ContextVar("servers_of_call", default=frozenset())


def stay_on(base: str) -> None:
    """
    Keeps the running call on a server: redirects from its origin to another one are refused.

    Args:
        base: URL of the server, with any path.
    """
    servers: Final = _servers.get()
    if isinstance(servers, set):
        servers.add(base)
    else:
        _servers.set(frozenset((base,)))


def is_named(base: str | None) -> bool:
    """Whether the running call is to stay on this server, given as `stay_on` was."""
    return base in _servers.get()


def kept_on(base: str, request: httpx.Request) -> None:
    """
    Keeps one request on a server, whichever call it is sent in.

    Args:
        base: URL of the server, with any path.
        request: httpx gives what is noted on it to each request that a redirect makes of it.
    """
    request.extensions = {**request.extensions, _KEPT_ON: base}


def names_servers(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorates a public call: what `stay_on` says inside of it ends with it."""

    def named(*args: _P.args, **kwargs: _P.kwargs) -> _R:  # kwargs-ok: a whole call, passed on as it is
        if isinstance(_servers.get(), set):
            return call(*args, **kwargs)
        token: Final = _servers.set(set())
        try:
            return call(*args, **kwargs)
        finally:
            _servers.reset(token)

    return named


def names_servers_async(call: Callable[_P, Awaitable[_R]]) -> Callable[_P, Awaitable[_R]]:
    """As `names_servers`, for coroutine functions."""

    async def named(*args: _P.args, **kwargs: _P.kwargs) -> _R:  # kwargs-ok: a whole call, passed on as it is
        if isinstance(_servers.get(), set):
            return await call(*args, **kwargs)
        token: Final = _servers.set(set())
        try:
            return await call(*args, **kwargs)
        finally:
            with suppress(ValueError):  # the collector may close a coroutine in another context
                _servers.reset(token)

    return named


def origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    """Returns scheme, host (ASCII, lower case) and port of a URL; a default port is the same as none."""
    return url.scheme, url.raw_host, url.port or _DEFAULT_PORTS.get(url.scheme)


def _written(url: httpx.URL) -> str:
    # Never the whole URL: it may hold a login.
    port: Final = "" if url.port is None else f":{url.port}"
    return f"{url.scheme}://{url.raw_host.decode('ascii')}{port}"


def _target(response: httpx.Response) -> httpx.URL | None:
    """The URL that httpx would ask next, or None where it is none."""
    try:
        location: Final = httpx.URL(response.headers["location"])
        # A scheme without a host: httpx fills in the host and not the port, which is another server's.
        if location.scheme and not location.host:
            return None
        return response.request.url.join(location) if location.is_relative_url else location
    except httpx.InvalidURL:
        return None


def is_same_server(source: httpx.URL, target: httpx.URL) -> bool:
    """
    Whether a call may be sent on: to the same origin, or from http to https of the same host (both default ports).

    Args:
        source: URL that answered with a redirect.
        target: URL that it named; a login that the source has not makes it another server.
    """
    if target.userinfo not in (b"", source.userinfo):
        return False
    before, after = origin(source), origin(target)
    secured: Final = ("https", before[1], _DEFAULT_PORTS["https"])
    return before == after or (before[0] == "http" and before[2] == _DEFAULT_PORTS["http"] and after == secured)


def _refusal(response: httpx.Response) -> str | None:
    """The reason why a redirect must not be followed, or None."""
    source: Final = response.request.url
    target: Final = _target(response)
    # A mounted transport would take another scheme for a call that this process makes of itself.
    if target is not None and target.scheme in _DEFAULT_PORTS:
        kept: Final = response.request.extensions.get(_KEPT_ON)
        servers: Final = _servers.get() if kept is None else (kept,)
        if is_same_server(source, target) or not any(is_same_server(httpx.URL(base), source) for base in servers):
            return None
    named: Final = "an address that is no server" if target is None else _written(target)
    return (
        f"{_written(source)} redirected this call to {named}, which is not the server that was named; the call was "
        "not sent there. If it belongs there, name that server as api_base."
    )


def _refuse(response: httpx.Response, reason: str) -> None:
    error: Final = {"error": {"message": reason, "type": "redirect_refused", "param": None, "code": 502}}
    # The header is for the openai package, which would ask again.
    answer: Final = httpx.Response(httpx.codes.BAD_GATEWAY, json=error, headers={"x-should-retry": "false"})
    response.status_code, response.headers, response.stream = answer.status_code, answer.headers, answer.stream
    response.extensions["reason_phrase"] = reason.encode("ascii")


def _watch(response: httpx.Response) -> None:
    if response.has_redirect_location and (reason := _refusal(response)):
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream.close()
        _refuse(response, reason)


async def _watch_async(response: httpx.Response) -> None:
    if response.has_redirect_location and (reason := _refusal(response)):
        if isinstance(response.stream, httpx.AsyncByteStream):
            await response.stream.aclose()
        _refuse(response, reason)


def watches_redirects(create_client: Callable[_P, _Client]) -> Callable[_P, _Client]:
    """
    Decorates a function that makes an HTTP client: the client refuses redirects that leave the server of a call.

    A redirect it refuses is an answer with status 502, whose reason and JSON error name both origins.
    `litellm.client_session` and `litellm.aclient_session` stay as they are: their redirects are their owner's.
    """

    @wraps(create_client)
    def created(*args: _P.args, **kwargs: _P.kwargs) -> _Client:  # kwargs-ok: a whole call, passed on as it is
        client: Final = create_client(*args, **kwargs)
        if client is not None and client is not litellm.client_session and client is not litellm.aclient_session:
            client.event_hooks["response"].append(_watch_async if isinstance(client, httpx.AsyncClient) else _watch)
        return client

    return created
