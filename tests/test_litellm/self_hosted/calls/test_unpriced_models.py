"""No cost is calculated where no list has a price, and what is said of it stays the same."""

from dataclasses import replace
from typing import Any

import pytest

import litellm
import litellm.cost_calculator
import litellm.utils
from litellm.litellm_core_utils import litellm_logging, unpriced_models
from support.logger import RecordingLogger
from support.plain_calls import COST, MESSAGES, MODEL, PRICE, Ask, Counter, answer, arrived, cost, responded
from support.recording import RecordingServer, Request, Response, streamed


async def heard_of(response: Any, logger: RecordingLogger) -> dict[str, Any]:
    """What a logger hears of one call; calls made before it may still be on their way to it."""
    while True:
        logger.event.clear()
        for heard in logger.heard:
            if heard["litellm_call_id"] == response._hidden_params["litellm_call_id"]:
                return heard
        assert await arrived(logger.event)


async def test_no_price_is_calculated_for_a_model_that_is_in_no_list(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cost(await ask()) is None
    tokens = Counter(monkeypatch, litellm.cost_calculator, "cost_per_token")
    names = Counter(monkeypatch, litellm.cost_calculator, "select_model_name_for_cost_calc")
    entries = Counter(monkeypatch, litellm_logging, "pricing_entry_for_cost_calc")
    rules = Counter(monkeypatch, litellm.utils, "match_capability_generalizations")
    assert cost(await ask()) is None
    assert tokens.count == names.count == entries.count == rules.count == 0


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


@pytest.mark.parametrize("served_as", [MODEL, "served-as"])
def test_no_price_is_calculated_for_a_whole_stream_until_a_list_knows_a_name(
    provider: str, server: RecordingServer, monkeypatch: pytest.MonkeyPatch, served_as: str
) -> None:
    chunk = {"id": "a", "created": 1, "model": served_as, "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    last = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {**chunk, "choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}}
    monkeypatch.setattr(server, "responder", lambda request: streamed(chunk, last, usage))

    def price() -> Any:
        call = {"model": f"{provider}/{MODEL}", "messages": MESSAGES, "stream_options": {"include_usage": True}}
        chunks = list(litellm.completion(**call, stream=True, api_base=f"{server.url}/v1", api_key="key"))
        return getattr(chunks[-1].usage, "cost", None)

    assert price() is None
    tokens = Counter(monkeypatch, litellm.cost_calculator, "cost_per_token")
    assert price() is None and tokens.count == 0
    litellm.model_cost[f"{provider}/{served_as}"] = dict(PRICE)
    assert price() == pytest.approx(COST)


def said_of(response: Any) -> dict[str, Any]:
    """What a caller can read of an answer, without what differs from call to call."""
    hidden = {name: value for name, value in response._hidden_params.items() if not name.endswith(("_id", "_ms"))}
    hidden.pop("headers", None)
    hidden.pop("additional_headers", None)
    return {**response.model_dump(exclude={"id"}), "hidden": hidden}


async def test_no_price_is_calculated_for_a_response_until_a_list_knows_a_name(
    respond: Ask, provider: str, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "responder", responded)
    await respond()
    tokens = Counter(monkeypatch, litellm.cost_calculator, "cost_per_token")
    names = Counter(monkeypatch, litellm.cost_calculator, "select_model_name_for_cost_calc")
    response = await respond()
    assert tokens.count == names.count == 0
    assert getattr(response.usage, "cost", None) is None
    litellm.model_cost[f"{provider}/{MODEL}"] = dict(PRICE)
    response = await respond()
    assert (getattr(response.usage, "cost", None) or cost(response)) == pytest.approx(COST)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"model": "served-as"},
        {"usage": None},
        {"usage": {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6, "cost": 0.75}},
        {"tools": [{"type": "web_search"}], "service_tier": "flex"},
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    ],
    ids=repr,
)
async def test_a_response_says_the_same_by_both_ways(
    respond: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    monkeypatch.setattr(server, "responder", lambda request: responded(request, **more))
    await respond()
    short = said_of(await respond())
    monkeypatch.setattr(unpriced_models, "_is_known_unpriced", lambda *asked: False)
    assert said_of(await respond()) == short


async def test_loggers_learn_each_time_why_there_is_no_price(ask: Ask) -> None:
    logger = RecordingLogger()
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


async def test_a_price_list_that_lacks_a_rate_is_still_found_at_fault(ask: Ask, provider: str) -> None:
    for _ in range(2):
        await ask()
    litellm.model_cost[f"{provider}/{MODEL}"] = {"input_cost_per_image": 0.5, "mode": "chat"}
    logger = RecordingLogger()
    litellm.callbacks = [logger]
    response = await ask()
    assert not cost(response)
    entry = (await heard_of(response, logger))["standard_logging_object"]
    assert entry["zero_cost_diagnostic"]["reason"] == "missing_pricing_key"
