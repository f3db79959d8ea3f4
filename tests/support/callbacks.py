"""
LiteLLM's lists of callbacks, which outlive a test.
"""

import sys
from collections.abc import Iterator

import pytest

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
