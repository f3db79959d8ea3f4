"""
Counting of tokens by the server's own tokenizer and chat template (`POST /tokenize`), where a server is configured.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, NamedTuple

import httpx
from pydantic import BaseModel

import litellm
from litellm._logging import verbose_logger
from litellm.constants import PLACEHOLDER_API_KEY
from litellm.litellm_core_utils.redirects import names_servers, names_servers_async
from litellm.llms.base_llm.base_utils import BaseTokenCounter
from litellm.llms.custom_httpx.http_handler import get_async_httpx_client, get_httpx_client
from litellm.llms.remodlai.bases import server_root
from litellm.llms.remodlai.errors import ENGINE_SCHEME, LexiqNovaError
from litellm.llms.remodlai.local import running_base
from litellm.types.utils import TokenCountResponse

TIMEOUT_SECONDS: Final = 5.0
# A server that has not counted is left alone this long: a count comes before many a call.
SILENT_SECONDS: Final = 60.0
MAX_REMEMBERED: Final = 100

_SILENT_UNTIL: Final[dict[str, float]] = {}


class _Server(BaseModel):
    """What a count takes from a deployment."""

    api_base: str | None = None
    api_key: str | None = None
    extra_headers: dict[str, str] | None = None
    ssl_verify: bool | str | None = None


class _Request(NamedTuple):
    """What asks a server for a count."""

    url: str
    body: Mapping[str, Any]
    headers: dict[str, str]
    ssl_verify: bool | str | None


class ServerTokenCounter(BaseTokenCounter):
    """
    Asks the server of a deployment; LiteLLM counts by itself where that gives no answer.

    Args:
        provider: whose servers are asked.
        resolve: gives base and key of a server, from those that a deployment names.
    """

    def __init__(self, provider: str, resolve: Callable[[str | None, str | None], tuple[str, str]]) -> None:
        self.provider = provider
        self.resolve = resolve

    def should_use_token_counting_api(self, custom_llm_provider: str | None = None) -> bool:
        return custom_llm_provider == self.provider

    async def count_tokens(
        self,
        model_to_use: str,
        messages: list[dict[str, Any]] | None,
        contents: object = None,
        deployment: Mapping[str, Any] | None = None,
        request_model: str = "",
        tools: list[dict[str, Any]] | None = None,
        system: object = None,
        messages_format: str = "openai",
        output_format: object = None,
        context_management: object = None,
        chat_params: object = None,
    ) -> TokenCountResponse | None:
        """
        Counts the tokens of a chat, as the model's chat template writes it.

        Args:
            model_to_use: the model's name on the server.
            messages: of the chat.
            deployment: whose `litellm_params` name server and key; by default what is configured.
            request_model: the model as the caller named it.
            tools: of the chat.
            system: what stands before the messages, in Anthropic's form.
            messages_format: of the messages.

        Returns:
            The count; None where no server is configured and no engine of the model is up, where it has no such route,
            or does not know the form.
        """
        if not messages or messages_format != "openai" or not (system is None or isinstance(system, str)):
            return None
        chat: Final = [{"role": "system", "content": system}, *messages] if system else messages
        body: Final = {"model": model_to_use, "messages": chat, **({"tools": tools} if tools else {})}
        counted: Final = await self._ask(_Server.model_validate((deployment or {}).get("litellm_params") or {}), body)
        if counted is None:
            return None
        return TokenCountResponse(
            total_tokens=counted["count"],
            request_model=request_model,
            model_used=model_to_use,
            tokenizer_type=f"{self.provider}_tokenize",
            original_response=counted,
        )

    def count(self, body: Mapping[str, Any]) -> int | None:
        """
        Counts as `count_tokens` does, for a caller that can wait.

        Args:
            body: of the request: `model`, and `messages` or `prompt`.

        Returns:
            The count, or None as there.
        """
        request: Final = self._request(_Server(), body)
        if request is None:
            return None
        with _no_count_is_no_error(self.provider, request.url):
            return int(_count_in(self._post(request))["count"])
        return None

    async def _ask(self, server: _Server, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """The server's answer where it has a count in it."""
        request: Final = self._request(server, body)
        if request is None:
            return None
        with _no_count_is_no_error(self.provider, request.url):
            return _count_in(await self._post_async(request))
        return None

    def _request(self, server: _Server, body: Mapping[str, Any]) -> _Request | None:
        """None where nobody is to be asked."""
        try:
            given, key = self.resolve(server.api_base, server.api_key)
        except LexiqNovaError as error:
            verbose_logger.debug("%s: nobody is asked for a count of tokens: %s", self.provider, error.message)
            return None
        base: Final = running_base(body["model"]) if given.startswith(ENGINE_SCHEME) else given
        url: Final = f"{server_root(base or '')}/tokenize"
        if not base or _SILENT_UNTIL.get(url, 0.0) > time.monotonic():
            return None
        own: Final = {} if key == PLACEHOLDER_API_KEY else {"Authorization": f"Bearer {key}"}
        return _Request(url, body, {**(server.extra_headers or {}), **own}, server.ssl_verify)

    @names_servers
    def _post(self, request: _Request) -> httpx.Response:
        client: Final = get_httpx_client({"ssl_verify": request.ssl_verify})
        return client.post(request.url, json=dict(request.body), headers=request.headers, timeout=TIMEOUT_SECONDS)

    @names_servers_async
    async def _post_async(self, request: _Request) -> httpx.Response:
        client: Final = get_async_httpx_client(litellm.LlmProviders(self.provider), {"ssl_verify": request.ssl_verify})
        return await client.post(request.url, json=dict(request.body), headers=request.headers, timeout=TIMEOUT_SECONDS)


def _count_in(answer: httpx.Response) -> dict[str, Any]:
    counted: Final[dict[str, Any]] = answer.json()
    if not isinstance(counted["count"], int):
        raise TypeError("count")
    return counted


@contextlib.contextmanager
def _no_count_is_no_error(provider: str, url: str) -> Generator[None, None, None]:
    """Where a server cannot count, it is not asked again for a while."""
    try:
        yield
    except (httpx.HTTPError, litellm.Timeout, ValueError, KeyError, TypeError) as error:
        verbose_logger.debug("%s: the server does not count tokens: %s", provider, type(error).__name__)
        if len(_SILENT_UNTIL) >= MAX_REMEMBERED:
            _SILENT_UNTIL.clear()
        _SILENT_UNTIL[url] = time.monotonic() + SILENT_SECONDS
