"""What the tests against real servers share: the provider under test, and how its calls name a server."""

import math
from collections.abc import Sequence
from typing import Any

from support.vllm_server import VLLMServer

PREFIX = "remodlai"
"""The provider under test."""


def to(server: VLLMServer, path: str = "/v1") -> dict[str, Any]:
    """The arguments of a LiteLLM call that reach `server`; `path` is what its base ends with."""
    return {"model": f"{PREFIX}/{server.model}", "api_base": server.base + path, "api_key": server.key}


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """The cosine of the angle between two vectors."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / (math.hypot(*a) * math.hypot(*b))
