"""
The states of an engine, in the order in which it goes through them; one that sleeps goes through the later ones again.
Only its own process sets them (`server.py`).

Imports nothing but the standard library: that process may have no LiteLLM.
"""

from collections.abc import Mapping
from enum import Enum


class State(str, Enum):
    """What an engine is doing."""

    CHECKING = "checking"
    """vLLM reads its options and the model's configuration; it has no place yet."""
    WAITING = "waiting"
    """What it has read is fine; it waits for a place."""
    SLEEPING = "sleeping"
    """Its weights have left the GPU for the machine's memory; it waits for a place, and takes no call."""
    LOADING = "loading"
    """It has its place, and no call is answered before it is ready."""
    READY = "ready"
    """It answers calls."""
    DRAINING = "draining"
    """It ends the calls that it has, and takes no more."""
    LEAVING = "leaving"
    """It ends."""

    @property
    def step(self) -> int:
        """How far on the way this is, from 0."""
        return list(State).index(self)

    @property
    def has_place(self) -> bool:
        """Whether it counts as one of the engines that may be up at once."""
        return self.step >= State.LOADING.step

    @property
    def is_going(self) -> bool:
        """Whether it takes no call any more."""
        return self.step >= State.DRAINING.step


def state_in(status: Mapping[str, object]) -> State:
    """Returns the state that an engine's answer names; one of an older release names none and is taken for ready."""
    return State(status.get("state", State.READY))
