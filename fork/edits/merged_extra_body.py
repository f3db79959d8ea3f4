"""
A deployment's `extra_body` was thrown away by a call that brought one of its own, or one of its template arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.extra_body import merge_extra_body, own_copy, set_beside

EDIT = Edit(__name__, __doc__, patch="fix-merged-extra-body")
_PARAMS = "add_provider_specific_params_to_optional_params"


@EDIT.start("litellm/router.py", "Router._update_kwargs_with_deployment", releases="<1.109")
@EDIT.start("litellm/router_python_core.py", "*._update_kwargs_with_deployment", releases=">=1.109, <1.110")
@EDIT.start("litellm/router_rust/invoke/shaping.py", "update_kwargs_with_deployment", releases=">=1.110")
def of_deployment(deployment: dict[str, dict[str, object]], kwargs: dict[str, object]) -> None:
    merge_extra_body(deployment["litellm_params"], kwargs)


def copied(passed_params: dict[str, Any]) -> object:
    return dict(passed_params.pop("extra_body", None) or {})


@EDIT.instead_of(copied, "litellm/utils.py", _PARAMS)
def copied_with_origin(passed_params: dict[str, Any]) -> object:
    return own_copy(passed_params.pop("extra_body", None))


def replaced(extra_body: dict[str, object], k: str, passed_params: dict[str, object]) -> None:
    extra_body[k] = passed_params[k]


@EDIT.instead_of(replaced, "litellm/utils.py", _PARAMS)
def beside(extra_body: dict[str, object], k: str, passed_params: dict[str, object]) -> None:
    set_beside(extra_body, k, passed_params[k])
