"""The other edits of what LiteLLM did for each call: it is not done, and what is seen of a call is as before."""

import enum
import logging
from dataclasses import replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx
import pytest

import litellm
import litellm.utils
from litellm.llms.custom_httpx.http_handler import HTTPHandler
from litellm.types.router import LiteLLM_Params
from litellm.types.utils import DynamicPromptManagementParamLiteral
from support.plain_calls import MESSAGES, MODEL, Ask, Counter, answer
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


async def test_a_response_is_made_into_text_only_for_a_log(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    texts = Counter(monkeypatch, litellm.ModelResponse, "__str__")
    await ask()
    assert texts.count == 0
    logger = logging.getLogger("LiteLLM")
    monkeypatch.setattr(logger, "propagate", True)
    with caplog.at_level(logging.DEBUG, logger.name):
        await ask()
    raw = [record.getMessage() for record in caplog.records if record.getMessage().startswith("RAW RESPONSE:\n")]
    assert any('"content": "Hi"' in text and text.endswith("\n\n") for text in raw)


async def test_the_url_of_a_server_is_parsed_once(
    ask: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask()
    server.take()
    parsed = []
    parse = httpx._urls.urlparse

    def parsing(url: str = "", **parts: Any) -> Any:
        parsed.append(url)
        return parse(url, **parts)

    monkeypatch.setattr(httpx._urls, "urlparse", parsing)
    await ask()
    assert f"{server.url}/v1/chat/completions" not in parsed
    assert [request.path for request in server.take()] == ["/v1/chat/completions"]


async def test_cookies_are_searched_only_in_an_answer_that_sets_one(
    ask: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask()
    searches = Counter(monkeypatch, httpx.Cookies, "extract_cookies")
    await ask()
    assert searches.count == 0
    monkeypatch.setattr(
        server, "responder", lambda request: replace(answer(request), headers={"set-cookie": "session=1; Path=/"})
    )
    server.take()
    await ask()
    await ask()
    assert searches.count == 2
    assert [request.header("cookie") for request in server.take()] == [None, None]


def test_a_client_whose_jar_keeps_cookies_keeps_them(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        server, "responder", lambda request: replace(answer(request), headers={"set-cookie": "session=1; Path=/"})
    )
    handler = HTTPHandler()
    handler.client.cookies.jar.set_policy(DefaultCookiePolicy())
    server.take()
    for _ in range(2):
        litellm.completion(f"remodlai/{MODEL}", MESSAGES, api_base=f"{server.url}/v1", api_key="key", client=handler)
    assert [request.header("cookie") for request in server.take()] == [None, "session=1"]


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


async def test_parameters_that_ask_for_prompt_management_are_not_listed_for_a_call(ask: Ask, listed: list[Any]) -> None:
    await ask()
    listed.clear()
    await ask()
    assert DynamicPromptManagementParamLiteral not in listed


def test_the_parameters_that_ask_for_prompt_management_are_all_listed() -> None:
    kind = DynamicPromptManagementParamLiteral
    assert kind.list_all_params() == [param.value for param in kind]


async def test_an_answer_is_not_inspected_as_a_function(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    inspected = []
    checker = litellm.utils.litellm_utils.get_coroutine_checker()
    check = checker.is_async_callable

    def checking(value: Any) -> bool:
        inspected.append(value)
        return check(value)

    monkeypatch.setattr(checker, "is_async_callable", checking)
    response = await ask()
    assert not any(value is response for value in inspected)


async def test_rules_still_see_the_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "post_call_rules", [lambda answer: answer != "Hi"])
    with pytest.raises(litellm.APIResponseValidationError):
        await ask()
