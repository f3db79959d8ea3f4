"""No call lists the members of an enum, or the parameters of a Responses call."""

import enum
from typing import Any, get_type_hints

import pytest

import litellm
import litellm.utils
from litellm.llms.openai.responses import transformation
from litellm.llms.openai.responses.transformation import OpenAIResponsesAPIConfig
from litellm.responses import utils
from litellm.types.llms.openai import ResponsesAPIRequestParams
from litellm.types.utils import DynamicPromptManagementParamLiteral
from support.plain_calls import MESSAGES, MODEL, Ask, Counter, responded
from support.recording import RecordingServer


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The enums whose members were listed since."""
    kinds: list[Any] = []
    each = enum.EnumMeta.__iter__

    def listing(kind: Any) -> Any:
        kinds.append(kind)
        return each(kind)

    monkeypatch.setattr(enum.EnumMeta, "__iter__", listing)
    return kinds


async def test_the_providers_are_not_listed_for_a_call(ask: Ask, listed: list[Any]) -> None:
    await ask()
    listed.clear()
    await ask()
    assert litellm.LlmProviders not in listed


async def test_a_provider_that_does_not_exist_is_refused(server: RecordingServer) -> None:
    with pytest.raises(litellm.BadRequestError, match="no-such-provider"):
        litellm.completion(MODEL, MESSAGES, custom_llm_provider="no-such-provider", api_base=f"{server.url}/v1")


async def test_parameters_that_ask_for_prompt_management_are_not_listed_for_a_call(ask: Ask, listed: list[Any]) -> None:
    await ask()
    listed.clear()
    await ask()
    assert DynamicPromptManagementParamLiteral not in listed


def test_the_parameters_that_ask_for_prompt_management_are_all_listed() -> None:
    kind = DynamicPromptManagementParamLiteral
    assert kind.list_all_params() == [param.value for param in kind]


async def test_the_parameters_of_a_responses_call_are_read_once(
    respond: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "responder", responded)
    await respond()
    read = [Counter(monkeypatch, module, "get_type_hints") for module in (transformation, utils)]
    await respond(temperature=0.5, top_k=3)
    assert sum(counter.count for counter in read) == 0
    assert server.requests[-1].json()["temperature"] == 0.5


def test_a_responses_call_has_all_parameters_and_its_own_list_of_them() -> None:
    params = OpenAIResponsesAPIConfig().get_supported_openai_params("m")
    assert set(get_type_hints(ResponsesAPIRequestParams)) <= set(params)
    params.clear()
    assert OpenAIResponsesAPIConfig().get_supported_openai_params("m")
