"""
A stream that is collected while its thread is inside httpcore waits for the pool's lock, which that thread holds.

See https://github.com/encode/httpcore/discussions/990 and `litellm/llms/custom_httpx/collector_safe_client.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    import httpx

    from litellm.llms.custom_httpx.collector_safe_client import CollectorSafeClient

EDIT = Edit(__name__, __doc__, patch="collected-streams")


def client() -> object:
    return httpx.Client


@EDIT.instead_of(client, "litellm/llms/custom_httpx/http_handler.py", "HTTPHandler.create_client")
@EDIT.instead_of(client, "litellm/llms/openai/common_utils.py", "BaseOpenAILLM._get_sync_http_client", times=2)
def safe_client() -> object:
    return CollectorSafeClient
