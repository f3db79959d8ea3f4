"""A model that no price list has is searched once; one that a list has costs what it says."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import litellm
import litellm.cost_calculator
import litellm.utils
from litellm.litellm_core_utils import fallback_generalizations
from support.plain_calls import COST, MESSAGES, MODEL, PRICE, Ask, Counter, answer, cost
from support.recording import RecordingServer, Request, Response


async def test_lists_are_searched_once_for_a_model_that_is_in_none(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cost(await ask()) is None
    searches = Counter(monkeypatch, litellm.utils, "_first_registered_match")
    assert cost(await ask()) is None
    assert searches.count == 0


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
