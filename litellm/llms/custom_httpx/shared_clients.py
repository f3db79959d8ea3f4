"""
What LiteLLM's shared httpx clients need not do for every request: parse the same URL again, and search an answer that
sets no cookie for cookies.
"""

from functools import lru_cache
from typing import Final

import httpx
from httpx._types import CookieTypes

from litellm.llms.custom_httpx.collector_safe_client import CollectorSafeClient

# The endpoints that one process calls.
_PARSED_URLS: Final = 64


@lru_cache(maxsize=_PARSED_URLS)
def parsed_url(url: str) -> httpx.URL:
    """Returns a URL as httpx parses it."""
    return httpx.URL(url)


class SetCookies(httpx.Cookies):
    """Cookies that are looked for only in a response that sets one."""

    def extract_cookies(self, response: httpx.Response) -> None:
        if "set-cookie" in response.headers:
            super().extract_cookies(response)


class SharedClient(CollectorSafeClient, httpx.Client):
    """The client that synchronous calls share: its jar is not searched for every answer."""

    @property
    def cookies(self) -> httpx.Cookies:
        return SetCookies(super().cookies.jar)

    @cookies.setter
    def cookies(self, cookies: CookieTypes) -> None:
        super().cookies.jar = httpx.Cookies(cookies).jar


class SharedAsyncClient(httpx.AsyncClient):
    """The client that asynchronous calls share."""

    @property
    def cookies(self) -> httpx.Cookies:
        return SetCookies(super().cookies.jar)

    @cookies.setter
    def cookies(self, cookies: CookieTypes) -> None:
        super().cookies.jar = httpx.Cookies(cookies).jar
