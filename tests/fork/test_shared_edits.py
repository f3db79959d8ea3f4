"""The edits of shared functions: what anybody sees of a call is as before, and the work that it saves is not done."""

import asyncio
import enum
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx
import pytest

import litellm
import litellm.cost_calculator
import litellm.utils
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils import fallback_generalizations, litellm_logging
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from litellm.llms.custom_httpx.http_handler import HTTPHandler
from litellm.types.router import LiteLLM_Params
from litellm.types.utils import DynamicPromptManagementParamLiteral
from support.recording import RecordingServer, Request, Response, streamed

PROVIDERS = ("remodlai", "hosted_vllm")
MODEL = "our-own-model"
PRICE = {"input_cost_per_token": 0.5, "output_cost_per_token": 0.25, "mode": "chat"}
COST = 4 * 0.5 + 2 * 0.25
MESSAGES = [{"role": "user", "content": "Hello"}]

Ask = Callable[..., Awaitable[Any]]


def completed(content: str = "Hi") -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"id": "a", "created": 1, "model": MODEL, "choices": choices, "usage": usage}


def answer(request: Request) -> Response:
    return Response(json=completed())


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer(answer) as running:
        yield running


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, provider: str, server: RecordingServer) -> Ask:
    call = {"model": f"{provider}/{MODEL}", "messages": MESSAGES, "api_base": f"{server.url}/v1", "api_key": "key"}

    async def asked(**more: Any) -> Any:
        if request.param == "sync":
            return await asyncio.to_thread(litellm.completion, **call, **more)
        return await litellm.acompletion(**call, **more)

    return asked


@pytest.fixture(autouse=True)
async def own_settings(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Every list that a test fills is its own, and no log entry of a call before it is still on its way."""
    await GLOBAL_LOGGING_WORKER.flush()
    monkeypatch.setattr(litellm, "model_cost", dict(litellm.model_cost))
    for name in ("callbacks", "input_callback", "success_callback", "failure_callback"):
        monkeypatch.setattr(litellm, name, [])
    for name in ("_async_input_callback", "_async_success_callback", "_async_failure_callback"):
        monkeypatch.setattr(litellm, name, [])
    monkeypatch.setattr(litellm.utils, "callback_list", [])
    litellm.utils._invalidate_model_cost_lowercase_map()
    rules = fallback_generalizations.get_fallback_generalization_rules()
    yield
    fallback_generalizations.set_fallback_generalizations(rules)
    litellm.utils._invalidate_model_cost_lowercase_map()


class Counter:
    """Counts the calls of a function that it stands before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.count = 0
        self.called = threading.Event()
        counted = getattr(owner, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            self.called.set()
            return counted(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)


def cost(response: Any) -> float | None:
    return response._hidden_params["response_cost"]


async def test_lists_are_searched_once_for_a_model_that_is_in_none(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cost(await ask()) is None
    searches = Counter(monkeypatch, litellm.utils, "_first_registered_match")
    rules = Counter(monkeypatch, litellm.utils, "match_capability_generalizations")
    assert cost(await ask()) is None
    assert searches.count == rules.count == 0


def registered(name: str) -> None:
    litellm.register_model({name: PRICE})


def registered_in_capitals(name: str) -> None:
    litellm.register_model({name.upper(): PRICE})


def registered_without_provider(name: str) -> None:
    litellm.register_model({MODEL: PRICE})


def added(name: str) -> None:
    litellm.model_cost[name] = dict(PRICE)


def exchanged(name: str) -> None:
    litellm.model_cost.pop(next(iter(litellm.model_cost)))
    litellm.model_cost[name] = dict(PRICE)


def replaced(name: str) -> None:
    litellm.model_cost = {**litellm.model_cost, name: dict(PRICE)}


def generalized(name: str) -> None:
    rule = {"name": "ours", "pattern": f"^{MODEL}$", "model_info": PRICE}
    fallback_generalizations.set_fallback_generalizations([rule])


@pytest.mark.parametrize(
    "known",
    [registered, registered_in_capitals, registered_without_provider, added, exchanged, replaced, generalized],
)
async def test_a_model_is_known_from_the_call_on_that_follows_its_price(
    ask: Ask, provider: str, known: Callable[[str], None]
) -> None:
    assert [cost(await ask()) for _ in range(2)] == [None, None]
    known(f"{provider}/{MODEL}")
    assert cost(await ask()) == COST


async def test_prices_of_the_call_count(ask: Ask) -> None:
    assert cost(await ask()) is None
    prices = {name: PRICE[name] for name in ("input_cost_per_token", "output_cost_per_token")}
    assert cost(await ask(**prices)) == COST


def test_an_unknown_model_is_refused_alike_each_time(provider: str) -> None:
    def refusal() -> tuple[type[Exception], str]:
        with pytest.raises(Exception, match="isn't mapped yet") as refused:
            litellm.get_model_info(MODEL, custom_llm_provider=provider)
        return refused.type, str(refused.value)

    assert refusal() == refusal()


class Hearing(CustomLogger):
    """A logger that keeps what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[dict[str, Any]] = []
        self.event = threading.Event()

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.heard.append(kwargs)
        self.event.set()

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.log_success_event(kwargs, response_obj, start_time, end_time)


@pytest.fixture
def payloads(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch, litellm_logging, "get_standard_logging_object_payload")


async def arrived(event: threading.Event) -> bool:
    return await asyncio.to_thread(event.wait, 5)


async def heard_of(response: Any, logger: Hearing) -> dict[str, Any]:
    """What a logger hears of one call; calls made before it may still be on their way to it."""
    while True:
        logger.event.clear()
        for heard in logger.heard:
            if heard["litellm_call_id"] == response._hidden_params["litellm_call_id"]:
                return heard
        assert await arrived(logger.event)


async def test_no_log_entry_is_built_that_nobody_reads(ask: Ask, payloads: Counter) -> None:
    for _ in range(3):
        await ask()
    logger = Hearing()
    litellm.callbacks = [logger]
    await ask()
    assert await arrived(logger.event)
    # What the earlier calls had handed over would have come before.
    assert payloads.count == len(logger.heard) == 1


def to_callbacks(logger: Hearing) -> dict[str, Any]:
    litellm.callbacks = [logger]
    return {}


def to_success_callbacks(logger: Hearing) -> dict[str, Any]:
    litellm.success_callback = [logger.log_success_event]
    litellm._async_success_callback = [logger.async_log_success_event]
    return {}


def to_the_call(logger: Hearing) -> dict[str, Any]:
    return {"success_callback": [logger.log_success_event, logger.async_log_success_event]}


@pytest.mark.parametrize("listen", [to_callbacks, to_success_callbacks, to_the_call])
async def test_a_logger_that_comes_later_hears_the_calls_after_it(
    ask: Ask, listen: Callable[[Hearing], dict[str, Any]]
) -> None:
    await ask()
    logger = Hearing()
    response = await ask(**listen(logger))
    assert await arrived(logger.event)
    (heard,) = logger.heard
    assert heard["litellm_call_id"] == response._hidden_params["litellm_call_id"]
    assert heard["standard_logging_object"]["response"]["id"] == response.id
    assert heard["standard_logging_object"]["total_tokens"] == 6


def with_budget(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(litellm, "max_budget", 100.0)
    return {}


def with_printed_entries(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("LITELLM_PRINT_STANDARD_LOGGING_PAYLOAD", "1")
    return {}


def with_metadata(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"metadata": {"ours": "1"}}


def with_own_logging_object(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    logging_obj = Logging(MODEL, MESSAGES, False, "completion", datetime.now(), "id", "function")
    return {"litellm_logging_obj": logging_obj}


@pytest.mark.parametrize("reader", [with_budget, with_printed_entries, with_metadata, with_own_logging_object])
async def test_whoever_reads_the_entry_otherwise_still_can(
    ask: Ask, payloads: Counter, monkeypatch: pytest.MonkeyPatch, reader: Callable[[pytest.MonkeyPatch], dict[str, Any]]
) -> None:
    await ask(**reader(monkeypatch))
    assert await arrived(payloads.called)


async def test_no_price_is_calculated_for_a_model_that_is_in_no_list(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cost(await ask()) is None
    tokens = Counter(monkeypatch, litellm.cost_calculator, "cost_per_token")
    names = Counter(monkeypatch, litellm.cost_calculator, "select_model_name_for_cost_calc")
    entries = Counter(monkeypatch, litellm_logging, "pricing_entry_for_cost_calc")
    assert cost(await ask()) is None
    assert tokens.count == names.count == entries.count == 0


async def test_no_price_is_calculated_for_a_stream_that_begins(
    provider: str, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = {"id": "a", "created": 1, "model": MODEL, "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    monkeypatch.setattr(server, "responder", lambda request: streamed(delta))

    def begun() -> Any:
        call = {"model": f"{provider}/{MODEL}", "messages": MESSAGES, "stream": True}
        return litellm.completion(**call, api_base=f"{server.url}/v1", api_key="key")

    assert cost(begun()) is None
    tokens = Counter(monkeypatch, litellm.cost_calculator, "cost_per_token")
    stream = begun()
    assert cost(stream) is None and tokens.count == 0
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hi"
    litellm.model_cost[f"{provider}/{MODEL}"] = dict(PRICE)
    assert cost(begun()) == 0


async def test_loggers_learn_each_time_why_there_is_no_price(ask: Ask) -> None:
    logger = Hearing()
    litellm.callbacks = [logger]
    for _ in range(3):
        logger.event.clear()
        await ask()
        assert await arrived(logger.event)
    first, *later = [heard["standard_logging_object"] for heard in logger.heard]
    assert f"model={first['model']}" not in first["response_cost_failure_debug_info"]["error_str"]
    assert "isn't mapped yet" in first["response_cost_failure_debug_info"]["error_str"]
    for one in later:
        for name in ("response_cost_failure_debug_info", "response_cost", "cost_breakdown", "model_map_information"):
            assert one.get(name) == first.get(name)


async def test_a_price_that_the_answer_states_counts(
    ask: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cost(await ask()) is None

    def stating(request: Request) -> Response:
        return replace(answer(request), headers={"x-litellm-response-cost": "0.75"})

    monkeypatch.setattr(server, "responder", stating)
    assert cost(await ask()) == 0.75


@pytest.mark.parametrize("known", ["{provider}/bare", "bare", "{provider}/org/bare"])
def test_a_model_with_an_organisation_is_known_by_each_of_its_names(
    provider: str, known: str, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> Any:
        return litellm.completion(f"{provider}/org/bare", MESSAGES, api_base=f"{server.url}/v1", api_key="key")

    def of_organisation(request: Request) -> Response:
        response = answer(request)
        return replace(response, json={**response.json, "model": "org/bare"})

    monkeypatch.setattr(server, "responder", of_organisation)
    name = known.format(provider=provider)
    litellm.model_cost[name] = dict(PRICE)
    expected = cost(asked())
    del litellm.model_cost[name]
    litellm.utils._invalidate_model_cost_lowercase_map()
    assert [cost(asked()) for _ in range(2)] == [None, None]
    litellm.model_cost[name] = dict(PRICE)
    assert cost(asked()) == expected


def test_costs_are_refused_alike_each_time(provider: str) -> None:
    usage = litellm.Usage(prompt_tokens=4, completion_tokens=2, total_tokens=6)
    response = litellm.ModelResponse(model=MODEL, usage=usage)

    def refusal() -> tuple[type[Exception], str]:
        with pytest.raises(Exception, match="isn't mapped yet") as refused:
            litellm.completion_cost(response, model=f"{provider}/{MODEL}", custom_llm_provider=provider)
        return refused.type, str(refused.value)

    first = refusal()
    assert refusal() == first
    assert litellm.completion_cost(
        response,
        model=f"{provider}/{MODEL}",
        custom_llm_provider=provider,
        custom_cost_per_token={"input_cost_per_token": 0.5, "output_cost_per_token": 0.25},
    ) == pytest.approx(COST)


async def test_the_providers_are_not_listed_for_a_call(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    await ask()
    listed = []
    each = enum.EnumMeta.__iter__

    def listing(kind: Any) -> Any:
        listed.append(kind)
        return each(kind)

    monkeypatch.setattr(enum.EnumMeta, "__iter__", listing)
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


async def test_a_price_list_that_lacks_a_rate_is_still_found_at_fault(ask: Ask, provider: str) -> None:
    for _ in range(2):
        await ask()
    litellm.model_cost[f"{provider}/{MODEL}"] = {"input_cost_per_image": 0.5, "mode": "chat"}
    logger = Hearing()
    litellm.callbacks = [logger]
    response = await ask()
    assert not cost(response)
    entry = (await heard_of(response, logger))["standard_logging_object"]
    assert entry["zero_cost_diagnostic"]["reason"] == "missing_pricing_key"


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


async def test_parameters_that_ask_for_prompt_management_are_not_listed_for_a_call(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask()
    listed = []
    each = enum.EnumMeta.__iter__

    def listing(kind: Any) -> Any:
        listed.append(kind)
        return each(kind)

    monkeypatch.setattr(enum.EnumMeta, "__iter__", listing)
    await ask()
    assert DynamicPromptManagementParamLiteral not in listed


def test_the_parameters_that_ask_for_prompt_management_are_all_listed() -> None:
    kind = DynamicPromptManagementParamLiteral
    assert kind.list_all_params() == [param.value for param in kind]


async def test_an_answer_is_not_inspected_as_a_function(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    inspected = []
    check = litellm.utils.check_coroutine

    def checking(value: Any) -> bool:
        inspected.append(value)
        return check(value)

    monkeypatch.setattr(litellm.utils, "check_coroutine", checking)
    response = await ask()
    assert not any(value is response for value in inspected)


async def test_rules_still_see_the_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "post_call_rules", [lambda answer: answer != "Hi"])
    with pytest.raises(litellm.APIResponseValidationError):
        await ask()
