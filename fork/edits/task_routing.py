"""
Deployments of one model may each be of one task. Here the sync and the async selection of a deployment begin.

From 1.110 the Rust core selects, and asks for what stays of the candidates. There the error of an asynchronous filter
is an answer, but one raised by a synchronous filter a panic of the core: it is answered as the asynchronous one is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit, Part

if TYPE_CHECKING:
    from litellm.exceptions import BadRequestError
    from litellm.router import Router
    from litellm.router_utils.requested_task import as_answer, ids_of_requested_task, of_requested_task

EDIT = Edit(__name__, __doc__, patch="embeddings")


FILE, MOVED = "litellm/router.py", "litellm/router_python_core.py"
CORE, FILTERS = "litellm/router_rust/core.py", "litellm/router_rust/steps/callbacks.py"


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
    healthy_deployments = of_requested_task(model, healthy_deployments, request_kwargs)  # rebind-ok: read below


def unfiltered(step: Any) -> object:
    if step.get("stage") == "callback_filters":
        return step["candidates"]


@EDIT.instead_of(unfiltered, CORE, "RustCore._answer_select_sync", releases=">=1.110")
def filtered(self: Any, step: Any, request: dict[str, Any]) -> object:
    if step.get("stage") == "callback_filters":
        # Only the async candidate lists run the callback filters.
        return ids_of_requested_task(step, self._handle, request)


def raised(self: Any, error: Exception) -> object:
    return self._pick_raised(error, logged=False)


@EDIT.instead_of(raised, CORE, "_Driver.select_sync", releases=">=1.110")
def answered(self: Any, step: Any, error: Exception) -> object:
    return as_answer(step, self._pick_raised(error, logged=False))


@EDIT.start(FILTERS, "*._answer_callback_filters", releases=">=1.110")
def narrowed(self: Any, step: Any, request: dict[str, Any], attempt_failure: Any) -> object:
    try:
        step = {**step, "candidates": ids_of_requested_task(step, self._handle, request)}  # rebind-ok: read below
    except BadRequestError as error:
        return attempt_failure(error), error
