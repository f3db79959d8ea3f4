"""Each call asks twice, for a tenth of its price, whether its deployment has a limit to count for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.router import Router
    from litellm.router_utils.io_token_limits import deployment_has_io_token_limits
    from litellm.router_utils.unlimited_deployments import LimitSearch
    from litellm.types.router import Deployment

EDIT = Edit(__name__, __doc__, patch="without-limits", speed=True, releases="<1.109")


@EDIT.start("litellm/router.py", "Router._increment_deployment_usage")
def known(self: Router, deployment_id: str) -> str | None:
    limits: Final = LimitSearch(self, deployment_id)
    if limits.is_known_to_fail():
        return None


def unlimited(configured_limits: tuple[object, ...], deployment_info: Deployment) -> None:
    if all(limit is None for limit in configured_limits) and not deployment_has_io_token_limits(
        deployment_info.model_dump()
    ):
        return None


@EDIT.instead_of(unlimited, "litellm/router.py", "Router._increment_deployment_usage")
def remembered(limits: LimitSearch, configured_limits: tuple[object, ...], deployment_info: Deployment) -> None:
    if all(limit is None for limit in configured_limits) and not deployment_has_io_token_limits(
        deployment_info.model_dump()
    ):
        limits.failed()
        return None
