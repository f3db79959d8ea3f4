"""
The models of this machine: those that run, and those in the hub's cache.
"""

import os
from collections.abc import Iterator
from typing import Final

from litellm.llms.remodlai.engine import permits
from litellm.llms.remodlai.engine.check import CONFIGURATIONS, hub_cache
from litellm.llms.remodlai.engine.engine import vllm_is_here
from litellm.llms.remodlai.engine.errors import NoEngine


def local_models() -> list[str]:
    """
    Lists what a call may name here.

    Returns:
        Model ids and directories: first what is running, then what the hub's cache holds.

    Raises:
        NoEngine: nothing is running, and nothing can be started.
    """
    running: Final = permits.running()
    if not running and not vllm_is_here():
        raise NoEngine
    up: Final = (engine.model for engine in running)
    cached: Final = (model for model in _cached() if permits.allows_model(model))
    return list(dict.fromkeys([*up, *cached]))


def _cached() -> Iterator[str]:
    for snapshot in sorted(hub_cache(os.environ).glob("models--*/snapshots/*")):
        if any((snapshot / name).exists() for name in CONFIGURATIONS):
            yield snapshot.parents[1].name.removeprefix("models--").replace("--", "/")
