"""Management routes are told apart every time."""

import pytest

from litellm.proxy.auth.route_checks import RouteChecks


@pytest.mark.parametrize(
    ("route", "management"),
    [("/key/generate", True), ("/team/new", True), ("/v1/chat/completions", False), ("/vllm/tokenize", False)],
)
def test_management_routes_are_told_apart_every_time(route: str, management: bool) -> None:
    assert [RouteChecks.is_management_route(route=route) for _ in range(2)] == [management] * 2
