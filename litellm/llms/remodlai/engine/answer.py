"""
One call to a local engine, from its first attempt to its answer: an engine that does not listen is started; one that
died or is broken is replaced and the request sent once more.
"""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar
from typing import Final, NamedTuple, Protocol, TypeAlias

import aiohttp
import httpcore
import httpx

from litellm.llms.remodlai.engine.address import engine_of
from litellm.llms.remodlai.engine.advice import with_advice
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.engine.log import last_error
from litellm.llms.remodlai.engine.progress import how_far
from litellm.llms.remodlai.engine.runtime import POLL_SECONDS, Pauses
from litellm.llms.remodlai.engine.settings import max_calls
from litellm.llms.remodlai.engine.start import Start
from litellm.llms.remodlai.engine.wishes import HEADER
from litellm.llms.remodlai.errors import LexiqNovaError

# vLLM's answer to every call once its engine process is dead; its own server ends some seconds later, or never.
DEAD_INSIDE: Final = "EngineCore encountered an issue"
HEALTH_SECONDS: Final = 10.0
ENGINE_HEADER: Final = "x-lexiq-nova-engine"
# How often one call may find no engine, or a broken one, before something other than bad luck is the reason. An engine
# that leaves does not count: where many calls want one place, it may have come and gone between two looks at it.
ATTEMPTS: Final = 5
# When to come again while an engine loads.
RETRY_SECONDS: Final = 10

# Calls of this process that wait for an engine, by its name.
_WAITING: Final[Counter[str]] = Counter()
# Why the engine is not up that the running call has waited for already: it waits for none again.
NOT_UP: Final[ContextVar[Exception | None]] = ContextVar("not_up", default=None)


class Fault(NamedTuple):
    """
    Why a request goes out again: whether an engine had it before, the pid of one that must be replaced, and whether it
    was one on its way out that said so.
    """

    delivered: bool
    broken: int | None = None
    leaving: bool = False


Outcome: TypeAlias = httpx.Response | httpx.TransportError


class Send(Protocol):
    """Asks an engine; reads the body of the answer if it is wanted `whole`, or if it is an error."""

    async def __call__(self, engine: Engine, request: httpx.Request, whole: bool = False) -> httpx.Response: ...


Pause: TypeAlias = Callable[[float], Awaitable[None]]


def _fault(outcome: Outcome) -> Fault | None:
    if isinstance(outcome, httpx.Response):
        engine: Final = outcome.headers.get(ENGINE_HEADER, "")
        if engine == "leaving":
            return Fault(delivered=False, leaving=True)
        if engine.isdigit() and _says_dead_inside(outcome):
            return Fault(delivered=True, broken=int(engine))
        return None
    if isinstance(outcome, httpx.TimeoutException):
        return None
    # aiohttp's errors of a broken connection come as ConnectError too.
    refused: Final = isinstance(outcome, httpx.ConnectError) and isinstance(
        outcome.__cause__, (aiohttp.ClientConnectorError, httpcore.ConnectError)
    )
    return Fault(delivered=not refused)


def _says_dead_inside(response: httpx.Response) -> bool:
    """Whether a response is vLLM's own error object for a dead engine process; a model's words may quote it."""
    if response.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
        return False
    try:
        said: Final = response.json()
    except ValueError:
        return False
    error: Final = said.get("error", said) if isinstance(said, dict) else None  # not nested before vLLM 0.10
    return isinstance(error, dict) and str(error.get("message")).startswith(DEAD_INSIDE)


def _recovery(engine: Engine, fault: Fault, hear: Callable[[str], None] | None) -> Pauses:
    if fault.delivered:
        yield from engine.settle()
    if fault.leaving:
        yield POLL_SECONDS  # its socket goes a moment later
    yield from Start(engine, hear).ensure(fault.broken)


def until_up(
    engine: Engine, fault: Fault, began: float, allowed: float | None, hear: Callable[[str], None] | None = None
) -> Pauses:
    """
    Waits for an engine as one of its calls.

    Args:
        engine: is started, or replaced.
        fault: why it must be.
        began: when the call began, by the monotonic clock.
        allowed: seconds that the call may take until its answer begins; None for any number.
        hear: is told each line about the start.

    Yields:
        Seconds to pause before going on.

    Raises:
        LexiqNovaError: the engine did not start, too many calls wait for it, or it is not up in time (408: upstream's
            clients tell nothing of what an httpx.ReadTimeout says).
    """
    if (waited_for := NOT_UP.get()) is not None:
        raise waited_for
    with _waiting(engine), contextlib.closing(_recovery(engine, fault, hear)) as pauses:
        for seconds in pauses:
            if allowed is not None and time.monotonic() > began + allowed:
                text = f"the engine for {engine.model} was not ready in {allowed} s: {how_far(engine)}"
                raise failure(text, httpx.codes.REQUEST_TIMEOUT)
            yield seconds


async def _outcome(call: Awaitable[httpx.Response]) -> Outcome:
    try:
        return await call
    except httpx.TransportError as error:
        return error


async def says_it_is_well(engine: Engine, send: Send) -> bool:
    """Whether the engine itself says that its engine process lives."""
    url: Final = f"http://{engine.name}/health"
    timeouts: Final = httpx.Timeout(HEALTH_SECONDS).as_dict()
    request: Final = httpx.Request("GET", url, extensions={"timeout": timeouts})
    outcome: Final = await _outcome(send(engine, request, whole=True))
    return isinstance(outcome, httpx.Response) and outcome.is_success


@contextlib.contextmanager
def _waiting(engine: Engine) -> Generator[None, None, None]:
    """Counts a call that waits for its engine; raises where as many are waiting as may."""
    limit: Final = max_calls()
    if limit and _WAITING[engine.name] >= limit:
        text: Final = f"{limit} calls are waiting for the engine of {engine.model} already (LEXIQ_NOVA_MAX_CALLS)"
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
        body: Final = json.loads(request.content)
    except ValueError:
        return  # a form; vLLM's own words fit it better
    if isinstance(body, dict) and body.get("model"):
        engine.require_name(str(body["model"]))


async def answer(request: httpx.Request, send: Send, pause: Pause) -> httpx.Response:
    """
    One call from its first attempt to its answer, with or without an event loop: it waits only for its arguments.

    Args:
        request: its body has been read.
        send: asks an engine.
        pause: sleeps for some seconds.
    """
    engine: Final = engine_of(request.url)
    _require_name_of_adapter(engine, request)
    allowed: Final = request.extensions.get("timeout", {}).get("read")
    began: Final = time.monotonic()
    delivered = False  # rebind-ok: whether an attempt until now has reached an engine
    attempts = 0  # rebind-ok: those that found no engine, or a broken one
    while attempts < ATTEMPTS:
        engine.use()
        outcome = await _outcome(send(engine, _addressed(engine, request)))
        fault = _fault(outcome)
        if fault is None or fault.broken is not None and await says_it_is_well(engine, send):
            break
        if fault.delivered and delivered:
            message, _status = last_error(engine.log)
            text = f"the engine for {engine.model} died of this call twice: {message} (full log: {engine.log})"
            raise failure(text, 500)
        delivered |= fault.delivered
        attempts += not fault.leaving
        with contextlib.closing(until_up(engine, fault, began, allowed)) as pauses:
            for seconds in pauses:
                await pause(seconds)
    if isinstance(outcome, httpx.TransportError):
        raise outcome
    return with_advice(outcome) if outcome.is_client_error else outcome


def _addressed(engine: Engine, request: httpx.Request) -> httpx.Request:
    """The same request as the engine's socket takes it; its body has been read."""
    headers: Final = request.headers.copy()
    headers.pop("transfer-encoding", None)
    headers.pop(HEADER, None)  # a proxy's client has no say in it
    headers.update(engine.wishes.headers())
    url: Final = request.url.copy_with(scheme="http")
    return httpx.Request(request.method, url, headers=headers, content=request.content, extensions=request.extensions)
