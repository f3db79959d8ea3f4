"""httpx parses the same URL again for every call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.llms.custom_httpx.shared_clients import parsed_url

EDIT = Edit(__name__, __doc__, patch="http-clients", speed=True, releases="<1.110")


HANDLERS = "litellm/llms/custom_httpx/http_handler.py"


def given(url: str) -> object:
    return url


@EDIT.instead_of(given, HANDLERS, "HTTPHandler.post", of="self.client.build_request", times=2)
@EDIT.instead_of(given, HANDLERS, "AsyncHTTPHandler.post", of="self.client.build_request")
def parsed(url: str) -> object:
    return parsed_url(url)
