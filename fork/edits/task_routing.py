"""
Deployments of one model may each be of one task. Here the sync and the async selection of a deployment begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit, Part

if TYPE_CHECKING:
    from litellm.router import Router
    from litellm.router_utils.requested_task import of_requested_task

EDIT = Edit(__name__, __doc__, patch="embeddings")


FILE, MOVED = "litellm/router.py", "litellm/router_python_core.py"


def checked(self: Router, rest: Part) -> None:
    model, healthy_deployments = self._common_checks_available_deployment(**rest)


@EDIT.behind(checked, FILE, "Router.async_get_healthy_deployments", releases="<1.109")
@EDIT.behind(checked, FILE, "Router.get_available_deployment", releases="<1.109")
@EDIT.behind(checked, FILE, "Router.get_available_deployment_for_pass_through", releases="<1.109")
@EDIT.behind(checked, MOVED, "*._core_async_get_healthy_deployments", releases=">=1.109, <1.110")
@EDIT.behind(checked, MOVED, "*._get_available_deployment_unresolved", releases=">=1.109, <1.110")
@EDIT.behind(checked, MOVED, "*._core_get_available_deployment_for_pass_through", releases=">=1.109, <1.110")
def of_the_task(
    model: str, healthy_deployments: list[dict[str, Any]] | dict[str, Any], request_kwargs: dict[str, Any] | None
) -> None:
    healthy_deployments = of_requested_task(model, healthy_deployments, request_kwargs)
