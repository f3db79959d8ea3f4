"""
Which deployments of a Router or proxy serve a request's `task`.

Deployments of one public model may each be of one task (`litellm_params: {model: remodlai/..., task: retrieval}`).
The Router asks here, before cooldowns and load balancing, where such a deployment is among the candidates.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final, TypeVar

import litellm

from ..common_utils import HostedLexiqNova

Candidate = TypeVar("Candidate", bound=Mapping[str, Any])  # rebind-ok: mypy takes no Final TypeVar


def serving(model: str, deployments: Sequence[Candidate], request: MutableMapping[str, Any]) -> list[Candidate]:
    """
    The deployments that serve a request's task: those of that task, of the task it is part of, and of no task.

    Args:
        model: the public model name, for the error.
        deployments: candidates, as a Router keeps them.
        request: keyword arguments of the call. Its `task`, such as `text-matching` or `retrieval.query`, may also
            stand in `extra_body`; it is lifted from there, so that it goes before a deployment's own.

    Returns:
        Some of `deployments`, in their order; all for a request without a task, whose server then gets the task of
        the deployment that is chosen.

    Raises:
        litellm.BadRequestError: none of them serves the task. The message lists the tasks that are served.
    """
    task: Final = request.get("task") or (request.get("extra_body") or {}).get("task")
    if not task:
        request.pop("task", None)  # null would hide the deployment's own task
        return list(deployments)
    if task != request.get("task"):
        request["task"] = task
    own_tasks: Final = [deployment["litellm_params"].get("task") for deployment in deployments]
    serve: Final = [
        deployment
        for deployment, own in zip(deployments, own_tasks, strict=True)
        if not own or f"{task}.".startswith(f"{own}.")
    ]
    if not serve:
        served: Final = ", ".join(sorted(set(own_tasks)))
        raise litellm.BadRequestError(
            message=f"No deployment of {model} serves task={task!r}. Tasks served: {served}.",
            model=model,
            llm_provider=HostedLexiqNova.provider,
        )
    return serve
