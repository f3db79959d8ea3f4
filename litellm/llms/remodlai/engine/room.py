"""
Whether there is room for one more engine: as many as `LEXIQ_NOVA_MAX_ENGINES` says, else as many as memory holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from litellm.llms.remodlai.engine.memory import available_bytes, resident_bytes
from litellm.llms.remodlai.engine.needs import MEMORY, Needs
from litellm.llms.remodlai.engine.states import State, state_in

# Engines on one device take no more of it together: what they hold beside their shares needs a place too.
MAX_SHARE: Final = 0.98
# Engines leave this part of the memory that is available to other programs.
SPARE: Final = 0.02

Status: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Room:
    """
    What an engine finds when it comes.

    Args:
        limit: how many engines may be up at once; None where memory decides.
        status: what the engine says of itself; empty where it has not been started.
    """

    limit: int | None
    status: Status

    def rivals(self, others: Iterable[Status]) -> list[Status]:
        """Returns those of other engines that take of what this one needs, as far as is known."""
        needs: Final = self.status.get("needs")
        if self.limit is not None or not needs:
            return list(others)
        return [other for other in others if not (theirs := other.get("needs")) or not needs.keys().isdisjoint(theirs)]

    def holds(self, others: Iterable[Status], leaving: Iterable[Status] = ()) -> bool:
        """
        Whether this engine may load.

        Args:
            others: engines that stay.
            leaving: engines whose memory will be free.
        """
        rivals: Final = self.rivals(others)
        if self.limit is not None:
            return len(rivals) < self.limit
        needs: Final[Needs | None] = self.status.get("needs")
        # One that comes first need not say what it takes; of two of which one does not say, each has the machine.
        if not rivals or not needs:
            return not rivals
        if not all(rival.get("needs") for rival in rivals):
            return False
        return all(
            self._fits_in_memory(rivals, leaving)
            if device == MEMORY
            else share + sum(rival["needs"].get(device, 0.0) for rival in rivals) <= MAX_SHARE
            for device, share in needs.items()
        )

    def _fits_in_memory(self, rivals: Iterable[Status], leaving: Iterable[Status]) -> bool:
        available: Final = available_bytes()
        if available is None:
            return False
        # What the others were promised and have not taken yet is not free.
        promised: Final = sum(map(_to_come, rivals))
        return _to_come(self.status) + promised <= (1 - SPARE) * available + sum(map(_resident, leaving))


def is_deciding(status: Status) -> bool:
    """Whether an engine has its place and does not know yet what it takes."""
    return bool(status) and state_in(status) is State.LOADING and "needs" not in status


def _resident(status: Status) -> int:
    return resident_bytes(status["pid"])


def _to_come(status: Status) -> float:
    return max(0.0, status["needs"].get(MEMORY, 0.0) - _resident(status))
