"""A Router's synchronous text completion asked for its own name of the model, which no provider knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.router import Router

EDIT = Edit(__name__, __doc__, patch="fix-router-text-completion")


@EDIT.after("litellm/router.py", "Router.text_completion.data")
def of_deployment(self: Router, deployment: dict[str, Any], data: dict[str, Any], kwargs: dict[str, Any]) -> None:
    kwargs["model"] = data["model"]
    self._update_kwargs_with_deployment(deployment=deployment, kwargs=kwargs)
