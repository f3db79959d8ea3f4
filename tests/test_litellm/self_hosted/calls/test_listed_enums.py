"""No call lists the members of an enum."""

import enum
from typing import Any

import pytest

import litellm
import litellm.utils
from litellm.types.utils import DynamicPromptManagementParamLiteral
from support.plain_calls import MESSAGES, MODEL, Ask
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
