"""
Pass-through to vLLM's own routes: upstream's vLLM pass-through under Lexiq Nova's identity, kept below the base.
"""

import posixpath
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import httpx

from ...vllm.passthrough.transformation import VLLMPassthroughConfig
from ..bases import server_root
from ..common_utils import HostedLexiqNovaModelInfo, LexiqNova
from ..errors import LexiqNovaError

# vLLM's longest route is below 100 characters, and a proxy in between encodes once more at most.
MAX_ROUTE_LENGTH: Final = 4096
MAX_DECODINGS: Final = 4


def leaves_base(endpoint: str) -> bool:
    """
    Whether a route is anything but a plain path below the server's base.

    Args:
        endpoint: what follows the provider's prefix in the proxy's URL, however often it is percent-encoded.

    Returns:
        True for `..` and `.` segments, another host (`//host`), a query or fragment, and unprintable characters; also
        for a route that is longer, or more often encoded, than any of a server: undoing it would take its length
        squared.
    """
    if len(endpoint) > MAX_ROUTE_LENGTH:
        return True
    for _ in range(MAX_DECODINGS):
        if (decoded := unquote(endpoint)) == endpoint:
            break
        endpoint = decoded  # rebind-ok: decoded as often as it is encoded
    else:
        return True
    plain: Final = endpoint.isprintable() and set(endpoint).isdisjoint("\\?#") and not endpoint.startswith("/")
    return not plain or posixpath.normpath(f"/{endpoint}") != f"/{endpoint.rstrip('/')}"


class HostedLexiqNovaPassthroughConfig(HostedLexiqNovaModelInfo, VLLMPassthroughConfig):
    def reach(self, call: Mapping[str, object]) -> str:
        # The caller names the whole route: `v1/chat/completions`, but also `tokenize` or `score`.
        return server_root(super().reach(call))

    def is_streaming_request(self, endpoint: str, request_data: dict[str, object]) -> bool:
        """Whether the caller asked for a stream; `"stream": false` says that it did not."""
        return bool(request_data.get("stream"))

    def format_url(
        self, endpoint: str, base_target_url: str, request_query_params: Mapping[str, object] | None
    ) -> httpx.URL:
        """Upstream's URL of a route; raises LexiqNovaError (400) where the route is not below the base."""
        if leaves_base(endpoint.removeprefix("/")):
            raise LexiqNovaError(status_code=400, message=f"{endpoint!r} is not a path below the server's base")
        return super().format_url(endpoint, base_target_url, request_query_params)


class LexiqNovaPassthroughConfig(LexiqNova, HostedLexiqNovaPassthroughConfig):
    pass
