"""The tests' waiter: a condition is asked until it holds, for a bounded time, and not as often as to be a load."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

Held = TypeVar("Held")
PAUSE_SECONDS = 0.1


def nothing() -> str:
    return ""


def eventually(condition: Callable[[], Held], seconds: float = 10, what: Callable[[], str] = nothing) -> Held:
    """
    Waits for a condition.

    Args:
        condition: what is asked.
        seconds: after how long no further question is asked.
        what: tells what did not come, for the error.

    Returns:
        What the condition was when it held.

    Raises:
        TimeoutError: it does not hold in time.
    """
    end = time.monotonic() + seconds
    while not (held := condition()):
        if time.monotonic() > end:
            raise TimeoutError(what() or f"it did not happen within {seconds} s")
        time.sleep(PAUSE_SECONDS)
    return held


def until_it_serves(url: str, is_running: Callable[[], bool], seconds: float, said: Callable[[], str]) -> None:
    """
    Waits for a server that was started.

    Args:
        url: what it answers with success when it is ready.
        is_running: whether its process has not ended.
        seconds: how long it may take.
        said: what it has printed.

    Raises:
        RuntimeError: it ended.
        TimeoutError: it is not ready in time.
    """

    def serves() -> bool:
        if not is_running():
            raise RuntimeError(f"the server ended before it was ready:\n{said()[-4000:]}")
        try:
            return httpx.get(url, timeout=5).is_success
        except httpx.TransportError:
            return False  # not listening yet

    eventually(serves, seconds, lambda: f"the server is not ready after {seconds:.0f} s:\n{said()[-4000:]}")
