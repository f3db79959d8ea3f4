"""
The choices of one stream: where there are several, each keeps its index and its own finish reason.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from pydantic import BaseModel

from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

if TYPE_CHECKING:
    from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper


class Choice(Protocol):
    """A choice of a server's chunk, of a chat or of a text completion."""

    index: int
    finish_reason: str | None


class StreamedChoices:
    """
    What is known of the choices of a stream.

    Attributes:
        reasons: by the index of each choice that was seen, why it finished; None while it has not.
    """

    def __init__(self) -> None:
        self.reasons: Final[dict[int, str | None]] = {}
        self._told: Final[set[int]] = set()
        self._now: Sequence[Choice] = ()

    def see(self, chunk: object) -> None:
        """Notes what a chunk of the server says."""
        choices: Final = getattr(chunk, "choices", None)
        self._now = [choice for choice in choices or () if isinstance(getattr(choice, "index", None), int)]
        for choice in self._now:
            self.reasons[choice.index] = choice.finish_reason or self.reasons.get(choice.index)

    @property
    def several(self) -> bool:
        """Whether this is more than one plain answer."""
        return any(self.reasons)

    def finished(self, stream: "CustomStreamWrapper", answer: ModelResponseStream) -> ModelResponseStream | None:
        """
        The chunk that tells of choices that finish, where there are several.

        Args:
            stream: the stream, which is told whether a finish is still missing.
            answer: the chunk to fill.

        Returns:
            None where upstream's chunk is right.
        """
        if not self.several or not any(choice.finish_reason for choice in self._now):
            return None
        answer.choices = [_streaming(choice) for choice in self._now]
        self._told.update(choice.index for choice in self._now if choice.finish_reason)
        stream.sent_last_chunk = self._told == set(self.reasons)
        return answer

    def rest(self, answer: ModelResponseStream) -> ModelResponseStream:
        """Fills the last chunk of a stream of several choices: the reasons that were not told yet."""
        untold: Final = {index: reason for index, reason in self.reasons.items() if index not in self._told}
        answer.choices = [
            StreamingChoices(index=index, delta=Delta(), finish_reason=reason or "stop")
            for index, reason in untold.items()
        ]
        return answer

    def index(self) -> int:
        """The index of the choice that the chunk is of."""
        return self._now[0].index if self._now else 0


def _streaming(choice: Choice) -> StreamingChoices:
    fields: Final = choice.model_dump() if isinstance(choice, BaseModel) else dict(vars(choice))
    text: Final = fields.pop("text", None)
    if text is not None:
        fields["delta"] = Delta(content=text or None)
    return StreamingChoices(**fields)
