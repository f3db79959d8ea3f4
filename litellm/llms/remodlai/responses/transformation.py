"""
Responses API of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity, and a shorter form of messages.
"""

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

import litellm
from litellm._logging import is_debugging_on
from litellm.types.llms.openai import OutputTextDeltaEvent, ResponseInputParam, ResponsesAPIStreamingResponse
from litellm.types.router import GenericLiteLLMParams
from litellm.types.utils import LlmProviders

from ...hosted_vllm.responses.transformation import HostedVLLMResponsesAPIConfig
from ..common_utils import HostedLexiqNova, LexiqNova, with_key
from ..reasoning import effort_word, word_of_thinking

if TYPE_CHECKING:
    from litellm.litellm_core_utils.litellm_logging import Logging

_ROLES: Final = frozenset({"user", "assistant", "system", "developer"})


def _as_messages(items: str | ResponseInputParam) -> Any:
    """Input items whose `type` is a role, `{"type": "user", "content": ...}`, as messages of that role."""
    if not isinstance(items, list):
        return items
    return [
        {**item, "type": "message", "role": item["type"]}
        if isinstance(item, dict) and item.get("type") in _ROLES
        else item
        for item in items
    ]


def _as_error_event(event: dict[str, Any]) -> dict[str, Any]:
    """
    An event that says an error as upstream's `error` event: without a `type`, with its fields beside the `type`, or
    as the bare error object of older vLLM servers.
    """
    kind, given = event.get("type"), event.get("error")
    is_bare: Final = event.get("object") == "error"
    beside: Final = {name: event[name] for name in ("code", "message", "param") if name in event}
    error: Final = beside if given is None and (kind == "error" or is_bare) else given
    if not error or not (kind in (None, "error") or is_bare):
        return event
    return {**event, "type": "error", "error": error if isinstance(error, dict) else {"message": str(error)}}


def _piece_of_text(event: dict[str, Any]) -> OutputTextDeltaEvent | None:
    """What most events are. None where there is more to look for: an error, or fields that upstream does not check."""
    if event.get("type") != "response.output_text.delta" or "error" in event or "object" in event:
        return None
    try:
        return OutputTextDeltaEvent(**event)
    except ValidationError:
        return None


def _with_effort(params: dict[str, Any], litellm_params: GenericLiteLLMParams, model: str) -> dict[str, Any]:
    reasoning: Final = params.get("reasoning")
    if isinstance(reasoning, dict) and "effort" in reasoning:
        return {**params, "reasoning": {**reasoning, "effort": effort_word(reasoning["effort"], model)}}
    thinking: Final = word_of_thinking((litellm_params.model_extra or {}).get("thinking"))
    if thinking is None:
        return params
    return {**params, "reasoning": {**(reasoning or {}), "effort": effort_word(thinking, model)}}


class HostedLexiqNovaResponsesAPIConfig(HostedLexiqNova, HostedVLLMResponsesAPIConfig):
    @property
    def custom_llm_provider(self) -> LlmProviders:
        return LlmProviders(self.provider)

    def validate_environment(
        self, headers: dict[str, str], model: str, litellm_params: GenericLiteLLMParams | None
    ) -> dict[str, str]:
        params: Final = with_key(litellm_params, self.key({"litellm_params": litellm_params}))
        brought: Final = self.with_headers_of_call(headers)
        return self.authorized(
            HostedVLLMResponsesAPIConfig.validate_environment(self, {**brought}, model, params), brought
        )

    def should_fake_stream(
        self, model: str | None, stream: bool | None, custom_llm_provider: str | None = None
    ) -> bool:
        """
        Says whether a stream is made of a whole answer, as upstream does for each model that is in no price list.

        Args:
            model: name as the server knows it.
            stream: what the call asked for.
            custom_llm_provider: as upstream calls this hook; not used.

        Returns:
            True only where `litellm.register_model` said of the model that `supports_native_streaming` is False.
        """
        known: Final = litellm.model_cost.get(f"{self.provider}/{model}") or {}
        return stream is True and known.get("supports_native_streaming") is False

    def transform_responses_api_request(
        self,
        model: str,
        input: str | ResponseInputParam,
        response_api_optional_request_params: dict[str, Any],
        litellm_params: GenericLiteLLMParams,
        headers: dict[str, str],
    ) -> dict[str, Any]:
        """
        Upstream's request; an input item whose `type` is a role is sent as a message of that role, and the effort of
        `reasoning`, or of Anthropic's `thinking`, as a word that the model knows.
        """
        params: Final = response_api_optional_request_params
        return super().transform_responses_api_request(
            model=model,
            input=_as_messages(input),
            response_api_optional_request_params=_with_effort(params, litellm_params, model),
            litellm_params=litellm_params,
            headers=headers,
        )

    def transform_streaming_response(
        self, model: str, parsed_chunk: dict[str, Any], logging_obj: "Logging"
    ) -> ResponsesAPIStreamingResponse:
        """Upstream's event; an error that a server sends in another form is an `error` event too."""
        # Upstream's log says each event.
        if not is_debugging_on() and (piece := _piece_of_text(parsed_chunk)) is not None:
            return piece
        return super().transform_streaming_response(
            model=model, parsed_chunk=_as_error_event(parsed_chunk), logging_obj=logging_obj
        )


class LexiqNovaResponsesAPIConfig(LexiqNova, HostedLexiqNovaResponsesAPIConfig):
    pass
