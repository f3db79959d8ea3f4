"""Deployments of one model may each be of one task: of those, a request is for the ones that serve its task."""

from collections.abc import MutableMapping, Sequence
from typing import Final

from litellm.litellm_core_utils.own_servers import OWN_SERVER_PROVIDERS

Deployments = Sequence[dict[str, dict[str, object]]]


def of_requested_task(
    model: str,
    candidates: list[dict[str, dict[str, object]]] | dict[str, object],
    request: MutableMapping[str, object] | None,
) -> list[dict[str, dict[str, object]]] | dict[str, object]:
    """
    Those of a model's deployments that serve a request's task; all where none of them is of one task.

    Args:
        model: the public model name.
        candidates: deployments as a Router keeps them, or the one that the request names.
        request: keyword arguments of the call.

    Raises:
        litellm.BadRequestError: no deployment serves the task.
    """
    if not isinstance(candidates, list) or request is None or not {"task", "extra_body"} & request.keys():
        return candidates
    if not any(map(_is_of_one_task, candidates)):
        return candidates
    # The provider's classes build on modules that import the Router.
    from litellm.llms.remodlai.embedding.routing import serving

    return serving(model, candidates, request)


def _is_of_one_task(deployment: dict[str, dict[str, object]]) -> bool:
    params: Final = deployment["litellm_params"]
    provider: Final = params.get("custom_llm_provider") or str(params["model"]).split("/", 1)[0]
    return bool(params.get("task")) and provider in OWN_SERVER_PROVIDERS
