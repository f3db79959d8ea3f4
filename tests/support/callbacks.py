"""
What outlives a test by itself: LiteLLM's lists of callbacks, and the threads in which it tells them of a call.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any

import pytest

PATIENCE = 60.0

CALLBACKS = (
    "_async_failure_callback",
    "_async_success_callback",
    "callbacks",
    "failure_callback",
    "input_callback",
    "success_callback",
)


@pytest.fixture(autouse=True)
def no_callback_stays() -> Iterator[None]:
    """LiteLLM's lists of callbacks end as they began.

    They take 100 each: the Routers of a whole run fill them, and the next Router's cooldowns would have no effect.
    """
    litellm = sys.modules.get("litellm")
    before = {name: list(getattr(litellm, name)) for name in CALLBACKS} if litellm else {}
    yield
    if litellm := sys.modules.get("litellm"):
        for name in CALLBACKS:
            getattr(litellm, name)[:] = before.get(name, ())


@pytest.fixture(autouse=True)
def told_before_its_end(no_callback_stays: None) -> Iterator[None]:
    """What a test's calls hand to LiteLLM's threads is done when the test ends: the next test would be told of it."""
    module = sys.modules.get("litellm.litellm_core_utils.thread_pool_executor")
    if module is None or "submit" in vars(module.executor):  # the latter: tests/parity/harness.py runs it itself
        yield
        return
    submit, handed = module.executor.submit, []

    def kept(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = submit(function, *args, **kwargs)
        if not future.cancelled():  # it is where too many wait
            handed.append(future)
        return future

    module.executor.submit = kept
    yield
    vars(module.executor).pop("submit", None)
    late = wait(handed, PATIENCE).not_done
    for thread in threading.enumerate():
        if thread.name.endswith("(failure_handler)"):
            thread.join(PATIENCE)
    assert not late, f"LiteLLM's threads are still at work after {PATIENCE} s"
