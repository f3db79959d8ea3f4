"""
The openai package's client, for the endpoints that upstream asks through one of its own: text completions, files,
batches and moderations. It takes LiteLLM's HTTP client, and each of its requests stays on the server it is for.
"""

from typing import Any, Final

import httpx
from openai import DEFAULT_MAX_RETRIES, APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, OpenAI

import litellm
from litellm.constants import PLACEHOLDER_API_KEY
from litellm.litellm_core_utils.call_headers import headers_of_call
from litellm.litellm_core_utils.redirects import kept_on
from litellm.llms.custom_httpx.http_handler import get_async_httpx_client, get_httpx_client

from .common_utils import HostedLexiqNova, with_authorization
from .diagnosis import why_unreachable
from .keys import hide
from .places import place_of, without_secrets


# A streamed text completion is sent when its first chunk is asked for, after the call that named the server has ended:
# the request itself must say where it may go.
class _OpenAI(OpenAI):
    @property
    def user_agent(self) -> str:
        return super().user_agent.removeprefix("_")  # made of the class's name

    def _prepare_request(self, request: httpx.Request) -> None:
        kept_on(str(self.base_url), request)

    def _make_status_error(self, err_msg: str, *, body: object, response: httpx.Response) -> APIStatusError:
        return _hidden(super()._make_status_error(err_msg, body=body, response=response))

    def request(self, *args: Any, **call: Any) -> Any:  # kwargs-ok: the openai package's own, passed on
        try:
            return super().request(*args, **call)
        except APIConnectionError as error:
            raise _located(error, str(self.base_url)) from error.__cause__


class _AsyncOpenAI(AsyncOpenAI):
    @property
    def user_agent(self) -> str:
        return super().user_agent.removeprefix("_")

    async def _prepare_request(self, request: httpx.Request) -> None:
        kept_on(str(self.base_url), request)

    def _make_status_error(self, err_msg: str, *, body: object, response: httpx.Response) -> APIStatusError:
        return _hidden(super()._make_status_error(err_msg, body=body, response=response))

    async def request(self, *args: Any, **call: Any) -> Any:  # kwargs-ok: the openai package's own, passed on
        try:
            return await super().request(*args, **call)
        except APIConnectionError as error:
            raise _located(error, str(self.base_url)) from error.__cause__


def _located(error: APIConnectionError, base: str) -> APIConnectionError:
    """The error, which says only that there was one, with the server that was asked and why it did not answer."""
    if isinstance(error, APITimeoutError):
        return error
    server: Final = base.rstrip("/")
    place: Final = place_of(HostedLexiqNova.provider, server)
    return APIConnectionError(
        message=f"{error.message} [{without_secrets(server)} from {place}: {why_unreachable(error)}]",
        request=error.request,
    )


def _hidden(error: APIStatusError) -> APIStatusError:
    hide(error)
    return error


def openai_client(
    api_base: str,
    api_key: str | None,
    timeout: float | httpx.Timeout | None,
    max_retries: int | None,
    organization: str | None,
    is_async: bool,
) -> OpenAI | AsyncOpenAI:
    """
    Makes a client of one server.

    Args:
        api_base: base URL of the server.
        api_key: its key.
        timeout: of each request, in seconds.
        max_retries: how often a request that failed is sent again; None leaves it to the package.
        organization: as OpenAI's servers know it, if any.
        is_async: whether the call awaits its answer.
    """
    brought: Final = headers_of_call()
    key: Final = {"Authorization": f"Bearer {api_key}"}
    headers: Final = with_authorization({**brought, **key}, brought, api_key != PLACEHOLDER_API_KEY)
    retries: Final = DEFAULT_MAX_RETRIES if max_retries is None else max_retries
    if is_async:
        return _AsyncOpenAI(
            api_key=api_key,
            base_url=api_base,
            timeout=timeout,
            max_retries=retries,
            organization=organization,
            default_headers=headers,
            http_client=litellm.aclient_session or get_async_httpx_client(HostedLexiqNova.provider).client,
        )
    return _OpenAI(
        api_key=api_key,
        base_url=api_base,
        timeout=timeout,
        max_retries=retries,
        organization=organization,
        default_headers=headers,
        http_client=litellm.client_session or get_httpx_client().client,
    )
