"""Whether a route stays below the server's base is decided in a bounded number of steps."""

from urllib.parse import quote, unquote

import pytest

from litellm.llms.remodlai.passthrough import transformation
from litellm.llms.remodlai.passthrough.transformation import MAX_DECODINGS, MAX_ROUTE_LENGTH, leaves_base


def encoded(route: str, times: int) -> str:
    for _ in range(times):
        route = quote(route, safe="")
    return route


@pytest.mark.parametrize("route", ["%" + "25" * 31_000, "a" * 62_000, "%2e" * 20_000, "%25" * 20_000 + "2e"])
def test_a_long_route_is_refused_after_few_steps(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(text: str) -> str:
        read.append(len(text))
        return unquote(text)

    monkeypatch.setattr(transformation, "unquote", counted)
    assert leaves_base(route)
    assert len(read) <= MAX_DECODINGS
    assert sum(read) <= MAX_DECODINGS * MAX_ROUTE_LENGTH


@pytest.mark.parametrize("times", range(MAX_DECODINGS))
def test_an_encoded_route_is_what_it_says(times: int) -> None:
    assert not leaves_base(encoded("v1/models/org/some model", times))
    assert leaves_base(encoded("v1/../admin", times))


def test_a_route_encoded_too_often_is_refused() -> None:
    assert leaves_base(encoded("v1/a b", MAX_DECODINGS))
    assert leaves_base(encoded("../admin", MAX_DECODINGS + 3))


def test_the_longest_route() -> None:
    assert not leaves_base("a" * MAX_ROUTE_LENGTH)
    assert leaves_base("a" * (MAX_ROUTE_LENGTH + 1))
