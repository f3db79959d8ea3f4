"""A Router's synchronous text completion asked for its own name of the model, which no provider knows."""

from __future__ import annotations

from typing import Any

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="fix-router-text-completion")


@EDIT.after("litellm/router.py", "Router.text_completion.data", releases="<1.109")
@EDIT.after("litellm/router_python_core.py", "PythonCore.text_completion.data", releases=">=1.109, <1.110")
@EDIT.after("litellm/router_rust/invoke/endpoints.py", "RustEndpoints.text_completion.data", releases=">=1.110")
def of_deployment(deployment: dict[str, Any], data: dict[str, Any], kwargs: dict[str, Any]) -> None:
    kwargs["model"] = data["model"]
    kwargs["model_info"] = deployment.get("model_info")
