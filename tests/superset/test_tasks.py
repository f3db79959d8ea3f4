"""A proxy whose public model has a deployment for each task: the request's task selects the deployment."""

import pytest
from superset.conftest import BY_TASK, TASKS
from superset.ways import MODEL, Asking


def ask(asking: Asking, **parameters: object) -> tuple[int, object]:
    with asking.proxy.client() as client:
        answer = client.post("/v1/embeddings", json={"model": BY_TASK, "input": "one", **parameters})
    return answer.status_code, answer.json()


@pytest.mark.parametrize("task", ["retrieval", "retrieval.query", "retrieval.passage", "text-matching"])
def test_a_task_selects_its_deployment(asking: Asking, task: str) -> None:
    for _ in range(8):
        status, _answer = ask(asking, task=task)
        sent = asking.sent()
        assert (status, sent["model"], sent["task"]) == (200, f"{MODEL}-{task.split('.')[0]}", task)


@pytest.mark.parametrize("parameters", [{}, {"task": None}])
def test_without_a_task_the_deployments_own_applies(asking: Asking, parameters: dict[str, None]) -> None:
    chosen: set[str] = set()
    for _ in range(64):  # the choice is random: the second comes sooner, but for once in 2**63 runs
        assert ask(asking, **parameters)[0] == 200
        sent = asking.sent()
        assert sent["model"] == f"{MODEL}-{sent['task']}"
        chosen.add(sent["task"])
        if chosen == set(TASKS):
            return
    pytest.fail(f"only {chosen} was ever chosen")


@pytest.mark.parametrize("task", ["code", "code.query", "retrieval-2", "text"])
def test_a_task_that_nobody_serves_is_refused(asking: Asking, task: str) -> None:
    status, answer = ask(asking, task=task)
    assert status == 400
    assert task in str(answer)
    assert "retrieval, text-matching" in str(answer)
    assert not asking.posted()
