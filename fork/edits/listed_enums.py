"""The members of two enums are listed again for every call, and the parameters of every Responses call."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, get_type_hints

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.types.llms.openai import ResponsesAPIOptionalRequestParams
    from litellm.types.utils import DynamicPromptManagementParamLiteral, LlmProviders

EDIT = Edit(__name__, __doc__, patch="listed-enums", speed=True)


def providers() -> object:
    return [provider.value for provider in LlmProviders]


@EDIT.instead_of(providers, "litellm/main.py", "completion")
@EDIT.instead_of(providers, "litellm/utils.py", "get_optional_params")
def known_providers() -> object:
    return LlmProviders._value2member_map_


def params(cls: type[DynamicPromptManagementParamLiteral]) -> object:
    return [param.value for param in cls]


@EDIT.instead_of(params, "litellm/types/utils.py", "DynamicPromptManagementParamLiteral.list_all_params")
def known_params(cls: type[DynamicPromptManagementParamLiteral]) -> object:
    return [*cls._value2member_map_]


def optional_params() -> object:
    return get_type_hints(ResponsesAPIOptionalRequestParams).keys()


@EDIT.instead_of(
    optional_params,
    "litellm/responses/utils.py",
    "ResponsesAPIRequestUtils.get_requested_response_api_optional_param",
)
def known_optional_params(_optional_params: Callable[[], tuple[str, ...]]) -> object:
    return _optional_params()


@EDIT.after("litellm/responses/utils.py", "ResponsesAPIRequestUtils")
def of_responses() -> None:
    @lru_cache(maxsize=1)
    def _optional_params() -> tuple[str, ...]:
        return tuple(get_type_hints(ResponsesAPIOptionalRequestParams))


def all_params(ResponsesAPIRequestParams: type) -> object:
    return get_type_hints(ResponsesAPIRequestParams).keys()


RESPONSES = "litellm/llms/openai/responses/transformation.py"


@EDIT.instead_of(all_params, RESPONSES, "OpenAIResponsesAPIConfig.get_supported_openai_params")
def known_params_of_responses(_params: Callable[[], tuple[str, ...]]) -> object:
    return _params()


@EDIT.after(RESPONSES, "OpenAIResponsesAPIConfig")
def of_requests(ResponsesAPIRequestParams: type) -> None:
    @lru_cache(maxsize=1)
    def _params() -> tuple[str, ...]:
        return tuple(get_type_hints(ResponsesAPIRequestParams))
