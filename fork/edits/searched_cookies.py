"""The jar of LiteLLM's clients keeps no cookie, yet every answer's are looked for in a second request object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    import httpx

    from litellm.llms.custom_httpx.shared_clients import SharedAsyncClient, SharedClient

EDIT = Edit(__name__, __doc__, patch="http-clients", speed=True)


HANDLERS = "litellm/llms/custom_httpx/http_handler.py"


def client() -> object:
    return httpx.Client


@EDIT.instead_of(client, HANDLERS, "HTTPHandler.create_client")
def shared_client() -> object:
    return SharedClient


def async_client() -> object:
    return httpx.AsyncClient


@EDIT.instead_of(async_client, HANDLERS, "AsyncHTTPHandler.create_client", times=2)
def shared_async_client() -> object:
    return SharedAsyncClient
