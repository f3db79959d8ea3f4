"""
Deployments without limits, of which the Router counts no usage: one that was looked at is not looked at again until it,
or the price list, is another.
"""

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import litellm

if TYPE_CHECKING:
    from litellm.router import Router

# By Router and deployment id: the deployment and the price list that were looked at.
_FOUND: Final["WeakKeyDictionary[Router, dict[str, tuple[object, object]]]"] = WeakKeyDictionary()


class LimitSearch:
    """
    One search for the limits of a deployment.

    Args:
        router: the Router that it is of.
        deployment_id: its id.
    """

    def __init__(self, router: "Router", deployment_id: str) -> None:
        index: Final = router.model_id_to_deployment_index_map.get(deployment_id)
        self._id: Final = deployment_id
        self._found: Final = _FOUND.setdefault(router, {})
        self._now: Final = None if index is None else (router.model_list[index], litellm.model_cost)

    def is_known_to_fail(self) -> bool:
        """Whether it was looked at as it is now, and has no limits."""
        known: Final = self._found.get(self._id)
        return self._now is not None and known is not None and known[0] is self._now[0] and known[1] is self._now[1]

    def failed(self) -> None:
        """Remembers that the deployment has no limits."""
        if self._now is not None:
            self._found[self._id] = self._now
