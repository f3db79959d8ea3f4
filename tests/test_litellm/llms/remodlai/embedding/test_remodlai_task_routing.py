"""
Deployments of one public model that are each of one task: a request's task selects among them.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import litellm
from litellm import Router

ROUTING = "litellm.llms.remodlai.embedding.routing"
SAMPLES = 16
MANY = 64  # all of these calls get the same of two deployments once in 2**63 times


def deployment(served: str, task: str | None = None, name: str = "nova", **params: Any) -> dict[str, Any]:
    own = {"task": task} if task else {}
    model = {"model": f"remodlai/{served}", "api_base": f"https://{served}.example", "api_key": "sk-nova"}
    return {"model_name": name, "litellm_params": {**model, **own, **params}}


def sync_call(router: Router, **call: Any) -> Any:
    return router.embedding(**{"model": "nova", "input": ["text"], **call})


def async_call(router: Router, **call: Any) -> Any:
    return asyncio.run(router.aembedding(**{"model": "nova", "input": ["text"], **call}))


Call = Callable[..., Any]
both = pytest.mark.parametrize("call", [sync_call, async_call])


@pytest.fixture
def answering(wire: Any) -> Any:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
    wire.answers({"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    return wire


def sent(wire: Any) -> list[tuple[str, str | None]]:
    """Model and task of each request so far."""
    bodies = [json.loads(request.content) for request in wire.requests]
    return [(body["model"], body.get("task")) for body in bodies]


def calls_until(wire: Any, number: int, call: Call, router: Router, **options: Any) -> set[tuple[str, str | None]]:
    """What was sent, by as many calls as it takes to send so many different models and tasks."""
    for _ in range(MANY):
        call(router, **options)
        if len(set(sent(wire))) == number:
            break
    return set(sent(wire))


@both
@pytest.mark.parametrize(
    ("task", "served"),
    [
        ("retrieval", "r"),
        ("retrieval.query", "r"),
        ("retrieval.passage", "r"),
        ("code.query", "c"),
        ("text-matching", "t"),
    ],
)
def test_remodlai_task_selects_its_deployment(answering: Any, call: Call, task: str, served: str) -> None:
    router = Router([deployment("r", "retrieval"), deployment("c", "code"), deployment("t", "text-matching")])
    for _ in range(SAMPLES):
        call(router, task=task)
    assert set(sent(answering)) == {(served, task)}


@both
@pytest.mark.parametrize("without", [{}, {"task": None}, {"task": ""}, {"extra_body": {"dimensions": 2}}])
def test_remodlai_without_a_task_the_deployments_own_applies(
    answering: Any, call: Call, without: dict[str, Any]
) -> None:
    router = Router([deployment("r", "retrieval"), deployment("c", "code")])
    assert calls_until(answering, 2, call, router, **without) == {("r", "retrieval"), ("c", "code")}


@both
def test_remodlai_task_may_stand_in_extra_body(answering: Any, call: Call) -> None:
    router = Router([deployment("r", "retrieval"), deployment("c", "code")])
    for _ in range(SAMPLES):
        call(router, extra_body={"task": "code.query", "dimensions": 2})
    assert set(sent(answering)) == {("c", "code.query")}
    assert answering.body()["dimensions"] == 2


@both
def test_remodlai_deployment_without_a_task_serves_any(answering: Any, call: Call) -> None:
    router = Router([deployment("r", "retrieval"), deployment("any")])
    call(router, task="code")
    assert sent(answering) == [("any", "code")]
    served = calls_until(answering, 3, call, router, task="retrieval.query")
    assert served == {("any", "code"), ("r", "retrieval.query"), ("any", "retrieval.query")}


@both
def test_remodlai_deployment_of_a_subtask_serves_only_that(answering: Any, call: Call) -> None:
    router = Router([deployment("q", "retrieval.query"), deployment("p", "retrieval.passage")])
    for _ in range(SAMPLES):
        call(router, task="retrieval.passage")
    assert set(sent(answering)) == {("p", "retrieval.passage")}
    with pytest.raises(litellm.BadRequestError, match=r"retrieval\.passage, retrieval\.query"):
        call(router, task="retrieval")


@both
@pytest.mark.parametrize("task", ["text-matching", "retrieval-2", "code2.query", "ret"])
def test_remodlai_task_that_nobody_serves_is_a_bad_request(answering: Any, call: Call, task: str) -> None:
    router = Router([deployment("r", "retrieval"), deployment("c", "code"), deployment("c2", "code")], num_retries=2)
    with pytest.raises(litellm.BadRequestError) as caught:
        call(router, task=task)
    assert caught.value.status_code == 400
    assert caught.value.llm_provider == "remodlai"
    assert f"nova serves task={task!r}. Tasks served: code, retrieval." in caught.value.message
    assert not answering.requests


@both
@pytest.mark.parametrize("own", [{"model": "lexiq_nova/r"}, {"model": "r", "custom_llm_provider": "remodlai"}])
def test_remodlai_tasks_however_the_model_is_spelled(answering: Any, call: Call, own: dict[str, str]) -> None:
    router = Router([deployment("r", "retrieval", **own)])
    call(router, task="retrieval.query")
    assert sent(answering) == [("r", "retrieval.query")]
    with pytest.raises(litellm.BadRequestError, match="Tasks served: retrieval"):
        call(router, task="code")


@both
def test_remodlai_tasks_behind_an_alias_and_a_wildcard(answering: Any, call: Call) -> None:
    wildcard = [deployment("*", task, name="any/*", api_base="https://nova.example") for task in ("retrieval", "code")]
    router = Router(
        [deployment("r", "retrieval"), deployment("c", "code"), *wildcard], model_group_alias={"short": "nova"}
    )
    for _ in range(SAMPLES):
        call(router, model="short", task="code.query")
    assert set(sent(answering)) == {("c", "code.query")}
    with pytest.raises(litellm.BadRequestError, match="Tasks served: code, retrieval"):
        call(router, model="any/model", task="text-matching")


def failing(wire: Any, served: str, status: int) -> None:
    """From now on the deployment `served` answers with this status."""
    well = wire.answer

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host != f"{served}.example":
            return well(request)
        return httpx.Response(status, json={"error": {"message": "not now"}}, request=request)

    wire.answer = answer


@both
@pytest.mark.parametrize("status", [429, 500, 503])
def test_remodlai_retries_and_cooldowns_stay_within_the_task(answering: Any, call: Call, status: int) -> None:
    deployments = [deployment("r", "retrieval"), deployment("r2", "retrieval"), deployment("c", "code")]
    router = Router(deployments, num_retries=8, retry_after=0, allowed_fails=0, cooldown_time=60)
    failing(answering, "r", status)
    for _ in range(SAMPLES):
        call(router, task="retrieval.query")
    tried = [model for model, _task in sent(answering)]
    assert tried.count("r") == 1  # in its cooldown from then on
    assert tried.count("r2") == SAMPLES
    assert "c" not in tried


@both
def test_remodlai_task_whose_deployments_cool_down_is_not_a_bad_request(answering: Any, call: Call) -> None:
    router = Router([deployment("r", "retrieval"), deployment("c", "code")], num_retries=0, cooldown_time=60)
    failing(answering, "r", 429)
    for _ in range(2):
        with pytest.raises(Exception) as caught:  # LiteLLM's and the Router's own error share no class
            call(router, task="retrieval")
        assert getattr(caught.value, "status_code", 429) == 429
    call(router, task="code")
    assert sent(answering) == [("r", "retrieval"), ("c", "code")]


@both
def test_remodlai_fallbacks_are_asked_for_the_same_task(answering: Any, call: Call) -> None:
    spare = [deployment("s-r", "retrieval", "spare"), deployment("s-c", "code", "spare")]
    router = Router([deployment("r", "retrieval"), *spare], num_retries=0, fallbacks=[{"nova": ["spare"]}])
    call(router, task="code.passage")  # nobody of `nova` serves it
    failing(answering, "r", 500)
    call(router, task="retrieval.query")
    assert sent(answering) == [("s-c", "code.passage"), ("r", "retrieval.query"), ("s-r", "retrieval.query")]


@both
def test_remodlai_routing_leaves_other_requests_alone(
    answering: Any, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, ROUTING, None)  # importing it now raises
    other = deployment("o", "retrieval", "other", model="hosted_vllm/o", api_base="https://o.example/v1")
    router = Router([deployment("r", "retrieval"), deployment("plain", name="plain"), other], num_retries=0)
    call(router)
    call(router, model="plain", task="code")
    call(router, model="other", task="code")
    assert sent(answering) == [("r", "retrieval"), ("plain", "code"), ("o", "code")]
    with pytest.raises(ImportError):
        call(router, task="retrieval")
