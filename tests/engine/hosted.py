"""What the tests against real servers share: the provider under test, and how its calls name a server."""

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from support.vllm_server import VLLMServer

PREFIX = os.environ.get("LEXIQ_NOVA_TEST_PREFIX", "remodlai")
"""The provider under test. `hosted_vllm` runs the same tests on the provider of upstream that it is the twin of."""


fork_only = pytest.mark.skipif(PREFIX == "hosted_vllm", reason="upstream's provider does not do this")


def to(server: VLLMServer, path: str = "/v1") -> dict[str, Any]:
    """The arguments of a LiteLLM call that reach `server`; `path` is what its base ends with."""
    return {"model": f"{PREFIX}/{server.model}", "api_base": server.base + path, "api_key": server.key}


def until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait for a condition, asked ten times a second; False if it stays false for `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """The cosine of the angle between two vectors."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / (math.hypot(*a) * math.hypot(*b))
