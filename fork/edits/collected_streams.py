"""
A stream that is collected while its thread is inside httpcore waits for the pool's lock, which that thread holds.

See https://github.com/encode/httpcore/discussions/990 and `litellm/llms/custom_httpx/collector_safe_client.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit, Part

if TYPE_CHECKING:
    import httpx

    from litellm.llms.custom_httpx.collector_safe_client import CollectorSafeClient

EDIT = Edit(__name__, __doc__, patch="collected-streams")


def client_of_handler(
    transport: Part,
    mounts: Part,
    timeout: Part,
    verify: Part,
    cert: Part,
    headers: Part,
    cookies: Part,
    follow_redirects: Part,
    http2: Part,
) -> object:
    return httpx.Client(
        transport=transport,
        mounts=mounts,
        timeout=timeout,
        verify=verify,
        cert=cert,
        headers=headers,
        cookies=cookies,
        follow_redirects=follow_redirects,
        http2=http2,
    )


@EDIT.instead_of(client_of_handler, "litellm/llms/custom_httpx/http_handler.py", "HTTPHandler.create_client")
def safe_client_of_handler(
    transport: Part,
    mounts: Part,
    timeout: Part,
    verify: Part,
    cert: Part,
    headers: Part,
    cookies: Part,
    follow_redirects: Part,
    http2: Part,
) -> object:
    return CollectorSafeClient(
        transport=transport,
        mounts=mounts,
        timeout=timeout,
        verify=verify,
        cert=cert,
        headers=headers,
        cookies=cookies,
        follow_redirects=follow_redirects,
        http2=http2,
    )


def client_of_openai(mounts: Part, verify: Part, http2: Part) -> object:
    return httpx.Client(
        mounts=mounts,
        verify=verify,
        follow_redirects=True,
        http2=http2,
    )


@EDIT.instead_of(client_of_openai, "litellm/llms/openai/common_utils.py", "BaseOpenAILLM._get_sync_http_client")
def safe_client_of_openai(mounts: Part, verify: Part, http2: Part) -> object:
    return CollectorSafeClient(
        mounts=mounts,
        verify=verify,
        follow_redirects=True,
        http2=http2,
    )
