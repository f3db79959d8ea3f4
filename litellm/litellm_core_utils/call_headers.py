"""
Headers that a call brings (`headers`, `extra_headers`): noted where the call enters LiteLLM, so that each endpoint of a
provider whose server is the caller's own can send them, also one whose function reads neither.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final, TypeVar

from litellm.litellm_core_utils.own_providers import own_provider_of

_R = TypeVar("_R")  # rebind-ok: mypy takes no Final TypeVar

_NONE: Final[Mapping[str, str]] = {}
_ARGUMENTS: Final = ("headers", "extra_headers")
# A body has one form on each endpoint, whatever the caller says of it: these are the HTTP client's.
_OF_BODY: Final = frozenset({"content-type", "content-length", "transfer-encoding"})

_noted: Final[ContextVar[Mapping[str, str]]] = ContextVar("headers_of_call", default=_NONE)


def headers_of_call() -> Mapping[str, str]:
    """The headers that the running call brought, without those that describe its body."""
    return _noted.get()


def _brought(args: tuple[object, ...], call: dict[str, object]) -> Mapping[str, str]:
    given: Final = {name: value for name in _ARGUMENTS if isinstance(value := call.get(name), Mapping) and value}
    if not given and call.get("is_async") is True:
        return _noted.get()  # an asynchronous function goes on here, and gave its headers by position
    if not given or own_provider_of(args, call) is None:
        return _NONE
    headers: Final[dict[str, str | None]] = {}
    for argument, value in given.items():
        # One spelling: upstream merges these with the header of the key by the text of the name.
        spelled = {_spelled(name): text for name, text in value.items()}
        call[argument] = spelled
        headers.update(spelled)
    return {name: value for name, value in headers.items() if name.lower() not in _OF_BODY and value is not None}


def _spelled(name: str) -> str:
    return "Authorization" if name.lower() == "authorization" else name


@contextmanager
def noted(args: tuple[object, ...], call: dict[str, object]) -> Generator[None, None, None]:
    """
    Notes the headers of a call while it runs. A nested call has only its own: it may go to another server.

    Args:
        args: its positional arguments; the first may be its model.
        call: its keywords; `Authorization` gets this spelling.
    """
    token: Final = _noted.set(_brought(args, call))
    try:
        yield
    finally:
        with suppress(ValueError):  # the collector may close a coroutine in another context
            _noted.reset(token)


def notes_headers(call: Callable[..., _R]) -> Callable[..., _R]:
    """Decorates a public call: its headers are noted while it runs."""

    def noting(*args: object, **kwargs: object) -> _R:  # kwargs-ok: a whole call, passed on as it is
        with noted(args, kwargs):
            return call(*args, **kwargs)

    return noting


def notes_headers_async(call: Callable[..., Awaitable[_R]]) -> Callable[..., Awaitable[_R]]:
    """As `notes_headers`, for coroutine functions."""

    async def noting(*args: object, **kwargs: object) -> _R:  # kwargs-ok: a whole call, passed on as it is
        with noted(args, kwargs):
            return await call(*args, **kwargs)

    return noting
