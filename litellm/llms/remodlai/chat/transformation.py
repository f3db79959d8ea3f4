"""
Chat completions of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity, with its own streams.
"""

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import litellm
from litellm.types.llms.openai import AllMessageValues
from litellm.types.utils import ModelResponse

from ...hosted_vllm.chat.transformation import HostedVLLMChatConfig
from ...openai.chat.gpt_transformation import OpenAIChatCompletionStreamingHandler
from ..common_utils import HostedLexiqNova
from ..keys import hidden
from ..reasoning import effort_word, word_of_thinking
from .progress_stream import ProgressStreams
from .streaming import TemplateStreams


class ChunkParser(OpenAIChatCompletionStreamingHandler):
    """Upstream's parser of events; an error among them shows no key."""

    @staticmethod
    def _extract_error_from_chunk(chunk: dict[str, Any]) -> tuple[str, int] | None:
        error: Final = OpenAIChatCompletionStreamingHandler._extract_error_from_chunk(chunk)
        return None if error is None else (hidden(error[0]), error[1])


class HostedLexiqNovaChatConfig(ProgressStreams, TemplateStreams, HostedLexiqNova, HostedVLLMChatConfig):
    def get_openai_compatible_provider_info(self, api_base: str | None, api_key: str | None) -> tuple[str, str]:
        """Base and key for `get_llm_provider`; see `HostedLexiqNova.resolve`."""
        return self.resolve(api_base, api_key)

    def get_model_response_iterator(
        self,
        streaming_response: Iterator[str] | AsyncIterator[str] | ModelResponse,
        sync_stream: bool,
        json_mode: bool | None = False,
    ) -> ChunkParser:
        """The parser of a stream; see upstream's `BaseConfig`."""
        return ChunkParser(streaming_response=streaming_response, sync_stream=sync_stream, json_mode=json_mode)

    def map_openai_params(
        self,
        non_default_params: dict[str, Any],
        optional_params: dict[str, Any],
        model: str,
        drop_params: bool,
    ) -> dict[str, Any]:
        """
        Upstream's parameters, with the caller's tools untouched and `reasoning_effort` as a word.

        Args:
            non_default_params: what the call sets of OpenAI's parameters; changed, as upstream's method does.
            optional_params: what is sent so far.
            model: name as the server knows it.
            drop_params: whether parameters that are not supported are left out.

        Returns:
            `optional_params` with the parameters of the call.
        """
        if "tools" in non_default_params:
            # Upstream removes keywords from the schemas in place.
            non_default_params["tools"] = copy.deepcopy(non_default_params["tools"])
        thinking: Final = word_of_thinking(non_default_params.get("thinking"))
        if thinking is not None:
            non_default_params.setdefault("reasoning_effort", thinking)
        params: Final = super().map_openai_params(non_default_params, optional_params, model, drop_params)
        if "reasoning_effort" in params:
            params["reasoning_effort"] = effort_word(params["reasoning_effort"], model)
            if params["reasoning_effort"] is None:
                del params["reasoning_effort"]
        if litellm.add_function_to_prompt and self._has_no_functions(model):
            functions: Final = [params.pop(name) for name in ("tools", "functions") if params.get(name)]
            if functions:
                # Upstream describes these in the prompt.
                params["functions_unsupported_model"] = functions[0]
                params.pop("tool_choice", None)
        return params

    def _has_no_functions(self, model: str) -> bool:
        """Whether a price list, or the deployment's `model_info`, says that the model cannot call functions."""
        known: Final = litellm.model_cost.get(f"{self.provider}/{model}") or {}
        return known.get("supports_function_calling") is False

    def _transform_messages(self, messages: list[AllMessageValues], model: str, is_async: bool = False) -> Any:
        """Upstream's messages; a part of a message that is plain text is one of type `text`."""
        for message in messages:
            content = message.get("content")
            if isinstance(content, list) and any(isinstance(part, str) for part in content):
                message["content"] = [
                    {"type": "text", "text": part} if isinstance(part, str) else part for part in content
                ]
        # Its overloads know `is_async` only as a literal.
        transformed: Final[Callable[..., Any]] = super()._transform_messages
        return transformed(messages, model, is_async)

    def transform_response(self, *args: Any, **call: Any) -> ModelResponse:  # kwargs-ok: upstream's, passed on
        """Upstream's answer; JSON without a charset is UTF-8 (RFC 8259), so httpx need not look for one."""
        response: Final = call.get("raw_response")
        if response is not None and response.headers.get("content-type") == "application/json":
            response.encoding = "utf-8"
        return super().transform_response(*args, **call)
