"""The dict of a call's parameters is the one that pydantic makes."""

from typing import Any

import pytest
from pydantic import BaseModel

from litellm.types.router import GenericLiteLLMParams, LiteLLM_Params
from support.plain_calls import Ask, Counter, responded
from support.recording import RecordingServer

GIVEN: list[dict[str, Any]] = [
    {},
    {"api_base": "http://localhost", "max_retries": "3"},
    {"of_the_caller": 1, "_private": 2, "__dunder__": 3, "api_base": None},
]


@pytest.mark.parametrize("given", GIVEN, ids=repr)
@pytest.mark.parametrize("kind", [GenericLiteLLMParams, lambda **given: LiteLLM_Params(model="m", **given)])
def test_they_are_pydantics(kind: Any, given: dict[str, Any]) -> None:
    params = kind(**given)
    assert list(params) == list(BaseModel.__iter__(params))
    params["api_key"], params["later"] = "key", [1]
    assert list(dict(params).items()) == list(BaseModel.__iter__(params))
    assert dict(params)["later"] is params.later


async def test_a_call_does_not_ask_their_names(
    respond: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "responder", responded)
    asked = Counter(monkeypatch, BaseModel, "__iter__")
    await respond()
    assert asked.count == 0
