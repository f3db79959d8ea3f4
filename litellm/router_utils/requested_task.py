"""Deployments of one model may each be of one task: of those, a request is for the ones that serve its task."""

from collections.abc import Mapping, MutableMapping
from typing import Final, Protocol, TypeAlias, TypeVar

from typing_extensions import ReadOnly, TypedDict

from litellm.exceptions import BadRequestError
from litellm.litellm_core_utils.own_providers import OWN_SERVER_PROVIDERS

Deployment: TypeAlias = dict[str, dict[str, object]]
_Candidate = TypeVar("_Candidate", bound=Mapping[str, Mapping[str, object]])  # rebind-ok: mypy takes no Final TypeVar
_One = TypeVar("_One", bound=Mapping[str, object])  # rebind-ok: mypy takes no Final TypeVar


class Step(TypedDict):
    """
    The core's question which candidates stay.

    Args:
        model: the public model name.
        model_group: the `model_name` of the deployments that it means.
        candidates: their ids, without those that cool down.
    """

    model: ReadOnly[str]
    model_group: ReadOnly[str]
    candidates: ReadOnly[list[str]]


class Registry(Protocol):
    """The deployments of the Rust core."""

    def deployment(self, id: str, /) -> Deployment | None: ...

    def deployments(self) -> list[Deployment]: ...


def of_requested_task(
    model: str,
    candidates: list[_Candidate] | _One,
    request: MutableMapping[str, object] | None,
) -> list[_Candidate] | _One:
    """
    Those of a model's deployments that serve a request's task; all where none of them is of one task.

    Args:
        model: the public model name.
        candidates: deployments as a Router keeps them, or the one that the request names.
        request: keyword arguments of the call.

    Raises:
        litellm.BadRequestError: no deployment serves the task.
    """
    if not isinstance(candidates, list) or request is None or not _may_ask(request):
        return candidates
    if not any(map(_is_of_one_task, candidates)):
        return candidates
    # The provider's classes build on modules that import the Router.
    from litellm.llms.remodlai.embedding.routing import serving

    return serving(model, candidates, request)


def ids_of_requested_task(step: Step, registry: Registry, request: MutableMapping[str, object]) -> list[str]:
    """
    As `of_requested_task`, for a step of the Rust core, whose candidates are only those that do not cool down.

    Args:
        step: what the core asks.
        registry: where the deployments of these ids are.
        request: keyword arguments of the call.

    Returns:
        Ids; none while all that serve the task cool down.

    Raises:
        litellm.BadRequestError: no deployment of the group serves the task.
    """
    if not _may_ask(request):
        return step["candidates"]
    by_id: Final = {id: record for id in step["candidates"] if (record := registry.deployment(id)) is not None}
    candidates: Final = list(by_id.values())
    try:
        kept: Final = of_requested_task(step["model"], candidates, request)
    except BadRequestError:
        group: Final = [record for record in registry.deployments() if record["model_name"] == step["model_group"]]
        of_requested_task(step["model"], group or candidates, request)
        return []
    return [id for id, record in by_id.items() if record in kept]


def as_answer(step: Mapping[str, object], failure: Mapping[str, object]) -> Mapping[str, object]:
    """
    The failure of a pick as the Rust core reads it: a filter's is an attempt's, which nothing `raised`.

    Args:
        step: what the core asks.
        failure: what a failed strategy is answered with.
    """
    if step["stage"] != "callback_filters":
        return failure
    return {name: value for name, value in failure.items() if name != "raised"}


def _may_ask(request: Mapping[str, object]) -> bool:
    return not {"task", "extra_body"}.isdisjoint(request)


def _is_of_one_task(deployment: Mapping[str, Mapping[str, object]]) -> bool:
    params: Final = deployment["litellm_params"]
    provider: Final = params.get("custom_llm_provider") or str(params["model"]).split("/", 1)[0]
    return bool(params.get("task")) and provider in OWN_SERVER_PROVIDERS
