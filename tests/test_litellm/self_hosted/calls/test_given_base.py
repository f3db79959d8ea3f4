"""A base that is given is read as it is, and is that of validated parameters."""

from typing import Any

import pytest

import litellm
import litellm.utils
from litellm.types.router import LiteLLM_Params
from support.plain_calls import Ask, Counter
from support.recording import RecordingServer


async def test_the_base_of_a_call_is_read_without_validating_its_parameters(
    ask: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask()
    validated = Counter(monkeypatch, LiteLLM_Params, "__init__")
    response = await ask()
    assert validated.count == 0
    assert response._hidden_params["api_base"] == f"{server.url}/v1"
    response = await ask(max_retries="2")
    assert validated.count == 1
    assert response._hidden_params["api_base"] == f"{server.url}/v1"


@pytest.mark.parametrize(
    ("params", "base"),
    [
        ({"api_base": "http://a"}, "http://a"),
        ({"api_base": "http://a", "model": "m", "api_key": "k"}, "http://a"),
        ({"api_base": "http://a", "base_url": "http://b"}, "http://a"),
        ({"base_url": "http://b"}, "http://b"),
        ({"api_base": None, "base_url": "http://b"}, "http://b"),
        ({"api_base": ""}, ""),
        ({"api_base": "http://a", "rpm": "many"}, None),
        ({"api_base": "http://a", "api_key": 5}, None),
        ({"api_base": "http://a", "model": 5}, None),
        ({"api_base": 5}, None),
    ],
)
def test_the_base_is_that_of_validated_parameters(params: dict[str, Any], base: str | None) -> None:
    assert litellm.get_api_base("gpt-4o", params) == base
