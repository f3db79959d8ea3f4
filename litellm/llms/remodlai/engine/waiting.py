"""
A wait for an engine that goes on by itself, whether or not anybody reads what it says: whoever waits holds a place in
the queue, which a slow reader must not keep.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Generator
from typing import Final

import httpx

from litellm.llms.remodlai.engine.address import TELLING, engine_of
from litellm.llms.remodlai.engine.answer import NOT_UP, Fault, until_up
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.runtime import POLL_SECONDS, Pauses, awaited, listens, wait
from litellm.llms.remodlai.engine.start import Start
from litellm.llms.remodlai.errors import LexiqNovaError


class Waiting:
    """
    A wait for an engine, and what is said meanwhile.

    Args:
        engine: is started if it is not up.
        allowed: seconds that it may take; None for any number.
    """

    def __init__(self, engine: Engine, allowed: float | None) -> None:
        self._engine = engine
        self._allowed = allowed
        self._lines: deque[str] = deque()
        self._error: Exception | None = None
        self._is_left = False
        self._is_over = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> "Waiting":
        """Waits in a thread."""
        threading.Thread(target=wait, args=(self._until_over(),), name="lexiq-nova-waiting", daemon=True).start()
        return self

    def begin_in_loop(self) -> "Waiting":
        """Waits in a task of the running event loop."""
        self._task = asyncio.ensure_future(awaited(self._until_over()))
        return self

    def _until_over(self) -> Pauses:
        began: Final = time.monotonic()
        fault: Final = Fault(delivered=False)
        try:
            with contextlib.closing(until_up(self._engine, fault, began, self._allowed, self._lines.append)) as pauses:
                for seconds in pauses:
                    yield seconds
                    if self._is_left:
                        return
        except Exception as error:  # noqa: BLE001  # the call raises it
            self._error = error
        finally:
            self._is_over = True

    def line(self) -> Generator[float, None, str | None]:
        """Waits for the next line and returns it; None where there is none any more."""
        while not self._lines:
            if self._is_over and not self._lines:
                return None
            yield POLL_SECONDS
        return self._lines.popleft()

    def tell_call(self) -> None:
        """Lets the running call, which is about to ask the engine, end as the wait has ended."""
        NOT_UP.set(self._error)

    def leave(self) -> None:
        """Gives the wait up; the engine goes on loading. Takes no lock: a finalizer may come here."""
        self._is_left = True

    def left(self) -> Pauses:
        """Gives the wait up, and waits until its place is free."""
        self.leave()
        while not self._is_over:
            yield POLL_SECONDS


def waiting_for(base: str, timeout: float | httpx.Timeout | None) -> Waiting | None:
    """
    The wait that a call's stream is to tell of.

    Args:
        base: URL that the call asks.
        timeout: of the call.

    Returns:
        None where there is nothing to tell: the call does not wish it, its engine is up, or is known not to start.
    """
    url: Final = httpx.URL(base)
    if not url.host.endswith(TELLING):
        return None
    engine: Final = engine_of(url)
    if listens(engine.socket):
        return None
    with contextlib.suppress(LexiqNovaError):
        Start(engine).raise_if_it_cannot_start()
        return Waiting(engine, httpx.Timeout(timeout).read)
    return None
