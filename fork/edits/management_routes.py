"""Each call compares its route with every pattern of a list that does not change."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.constants import DEFAULT_MAX_LRU_CACHE_SIZE

EDIT = Edit(__name__, __doc__, patch="management-routes", speed=True)


@EDIT.decorator("litellm/proxy/auth/route_checks.py", "RouteChecks.is_management_route")
def cached() -> object:
    return lru_cache(maxsize=DEFAULT_MAX_LRU_CACHE_SIZE)
