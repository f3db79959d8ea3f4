"""A call to a configured server is sent there or raises: a redirect to another origin is not followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI, OpenAI

    from litellm.litellm_core_utils.own_servers import own_http_client
    from litellm.litellm_core_utils.redirects import is_named, names_servers, names_servers_async, watches_redirects

EDIT = Edit(__name__, __doc__, patch="remodlai")


@EDIT.decorator("litellm/utils.py", "client.wrapper")
def call() -> object:
    return names_servers


@EDIT.decorator("litellm/utils.py", "client.wrapper_async")
def awaited_call() -> object:
    return names_servers_async


@EDIT.decorator("litellm/llms/custom_httpx/http_handler.py", "HTTPHandler.create_client")
@EDIT.decorator("litellm/llms/custom_httpx/http_handler.py", "AsyncHTTPHandler.create_client")
@EDIT.decorator("litellm/llms/openai/common_utils.py", "BaseOpenAILLM._get_sync_http_client")
@EDIT.decorator("litellm/llms/openai/common_utils.py", "BaseOpenAILLM._get_async_http_client")
def http_client() -> object:
    return watches_redirects


@EDIT.start("litellm/llms/openai/openai.py", "OpenAIFilesAPI.get_openai_client")
@EDIT.start("litellm/llms/openai/openai.py", "OpenAIBatchesAPI.get_openai_client")
def files_client(
    client: OpenAI | AsyncOpenAI | None,
    api_base: str | None,
    api_key: str | None,
    timeout: float | httpx.Timeout,
    max_retries: int,
    organization: str | None,
    _is_async: bool,
) -> OpenAI | AsyncOpenAI | None:
    # The openai package's own HTTP client follows redirects to any host.
    if client is None and api_base is not None and is_named(api_base):
        from litellm.llms.remodlai.openai_client import openai_client

        return openai_client(api_base, api_key, timeout, max_retries, organization, is_async=_is_async)


@EDIT.start("litellm/llms/openai/openai.py", "OpenAIChatCompletion._get_openai_client")
def chat_client(
    client: OpenAI | AsyncOpenAI | None,
    is_async: bool,
    api_base: str | None,
    api_key: str | None,
    timeout: float | httpx.Timeout,
    max_retries: int,
    organization: str | None,
) -> OpenAI | AsyncOpenAI | None:
    if client is None and api_base is not None and is_named(api_base):
        from litellm.llms.remodlai.openai_client import openai_client

        return openai_client(api_base, api_key, timeout, max_retries, organization, is_async=is_async)


@EDIT.start("litellm/llms/openai/completion/handler.py", "OpenAITextCompletion.completion")
def text_completion_client(
    client: OpenAI | AsyncOpenAI | None,
    custom_llm_provider: str,
    api_base: str,
    api_key: str,
    timeout: float,
    organization: str | None,
    optional_params: dict[str, int],
    acompletion: bool,
) -> None:
    client = client or own_http_client(  # rebind-ok: read below
        custom_llm_provider,
        api_base,
        api_key,
        timeout,
        optional_params.get("max_retries", 2),
        organization,
        is_async=acompletion,
    )
