"""What the edits of the proxy's own functions leave out, and that they leave out nothing else."""

import sys
from typing import Any

import pytest

import litellm
from litellm.proxy import proxy_server
from litellm.proxy.auth.route_checks import RouteChecks
from litellm.proxy.common_utils.plain_chunks import as_plain_objects
from litellm.proxy.db import log_db_metrics
from litellm.router import Router
from litellm.types.router import Deployment, LiteLLM_Params, ModelInfo
from litellm.types.utils import ModelResponseStream


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models of the deployments that a Router looked for limits of."""
    models: list[str] = []
    upstream = Router.get_router_model_info

    def get_router_model_info(self: Router, deployment: Any, received_model_name: str, **more: Any) -> Any:
        models.append(received_model_name)
        return upstream(self, deployment=deployment, received_model_name=received_model_name, **more)

    monkeypatch.setattr(Router, "get_router_model_info", get_router_model_info)
    return models


def params(**more: Any) -> dict[str, Any]:
    return {"model": "remodlai/nova", "api_base": "http://127.0.0.1:9", "mock_response": "Hello", **more}


@pytest.fixture
def router() -> Router:
    models = {"free": params(), "limited": params(rpm=100)}
    return Router(
        model_list=[
            {"model_name": name, "litellm_params": each, "model_info": {"id": name}} for name, each in models.items()
        ]
    )


async def calls(router: Router, looked_up: list[str], model: str, count: int) -> list[str]:
    """Makes calls; returns for which models limits were looked up meanwhile."""
    looked_up.clear()
    for _ in range(count):
        await router._increment_deployment_usage(
            deployment_id=model,
            deployment_name="remodlai/nova",
            model_group=model,
            total_tokens=18,
            rpm_increment=1,
            parent_otel_span=None,
        )
    return list(looked_up)


async def test_limits_are_looked_up_again_only_where_there_may_be_some(
    router: Router, looked_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await calls(router, looked_up, "free", 3) == ["free"]
    assert await calls(router, looked_up, "limited", 3) == ["limited"] * 3
    assert await calls(router, looked_up, "free", 3) == []

    # Another price list may hold limits for the model.
    monkeypatch.setattr(litellm, "model_cost", {**litellm.model_cost})
    assert await calls(router, looked_up, "free", 3) == ["free"]

    # The same deployment, with a limit now: it is counted from the next call on.
    limited = Deployment(
        model_name="free", litellm_params=LiteLLM_Params(**params(rpm=7)), model_info=ModelInfo(id="free")
    )
    router.upsert_deployment(limited)
    assert await calls(router, looked_up, "free", 3) == ["free"] * 3


@pytest.mark.parametrize(
    ("route", "management"),
    [("/key/generate", True), ("/team/new", True), ("/v1/chat/completions", False), ("/remodlai/tokenize", False)],
)
def test_management_routes_are_told_apart_every_time(route: str, management: bool) -> None:
    assert [RouteChecks.is_management_route(route=route) for _ in range(2)] == [management] * 2


async def test_without_a_database_no_exception_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prisma", None)  # importing it fails, as where it is not installed

    @log_db_metrics.log_db_metrics
    async def asks_the_database() -> None:
        raise KeyError("nobody")

    with pytest.raises(KeyError, match="nobody"):
        await asks_the_database()


DELTAS: list[dict[str, Any]] = [
    {"content": "Paris"},
    {"role": "assistant", "content": ""},
    {},
    {"reasoning_content": "Hm."},
    {"content": "a", "tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]},
    {"content": "a", "refusal": "no"},
    {"content": "a", "something": "else"},
]
CHUNKS = [
    *({"choices": [{"index": 0, "delta": delta}]} for delta in DELTAS),
    {"choices": [{"index": 0, "delta": {"content": "é\n"}, "finish_reason": "stop"}], "service_tier": "default"},
    {"choices": [{"index": 1, "delta": {"content": "a"}}, {"index": 0, "delta": {"content": "b"}}]},
    {"choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": []}}]},
    {"choices": [{"index": 0, "delta": {"content": "a"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    {"choices": [{"index": 0, "delta": {"content": "a"}}], "system_fingerprint": "f"},
    {"choices": []},
]


@pytest.mark.parametrize("fields", CHUNKS)
def test_a_chunk_is_serialised_as_upstream_does(fields: dict[str, Any]) -> None:
    chunk = ModelResponseStream(id="1", model="nova", created=1, **fields)
    before = chunk.model_dump_json()
    serialize = proxy_server._fast_serialize_simple_model_response_stream

    assert serialize(as_plain_objects(chunk)) == serialize(chunk)
    assert chunk.model_dump_json() == before
