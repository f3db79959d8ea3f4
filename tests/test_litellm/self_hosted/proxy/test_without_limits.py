"""A Router looks for the limits of a deployment again only where there may be some."""

from typing import Any

import pytest

import litellm
from litellm.router import Router
from litellm.types.router import Deployment, LiteLLM_Params, ModelInfo


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
    return {"model": "hosted_vllm/nova", "api_base": "http://127.0.0.1:9", "mock_response": "Hello", **more}


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
            deployment_name="hosted_vllm/nova",
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
