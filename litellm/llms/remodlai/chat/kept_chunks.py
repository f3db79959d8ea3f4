"""
The chunks of a stream, as upstream keeps them for its end: a list that makes the copies of a template when it is read.

Until then such copies are only their texts, which become one chunk, but for the last two: upstream compares those. The
list itself does that, not the stream. The Router hands the list on to a stream of its own, and from there the proxy
bills what a client had got before it left.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, SupportsIndex, overload

from litellm.types.utils import ModelResponseStream

if TYPE_CHECKING:
    from .chunk_template import ChunkTemplate

# Upstream compares them, to stop a model that repeats itself.
KEPT_APART: Final = 2
# Of a long stream, so many texts become one: a string of its own for each takes ten times what it holds.
JOINED: Final = 256


class KeptChunks(list[ModelResponseStream]):
    """
    A list of chunks to which copies of a template are added by their texts.

    Args:
        chunks: what is in it at first.
    """

    def __init__(self, chunks: Iterable[ModelResponseStream]) -> None:
        super().__init__(chunks)
        # Chunks added since the list was last read, all copies of one template.
        self._template: ChunkTemplate | None = None
        self._joined: list[str] = []
        self._texts: list[str] = []
        self._time = 0.0
        self._content = ""

    def add(self, template: "ChunkTemplate", text: str, created_at: float) -> None:
        """
        Adds a copy of a template.

        Args:
            template: what it is a copy of.
            text: its text.
            created_at: its time of arrival, seconds since the epoch.
        """
        if template is not self._template:
            self._make()
            self._template = template
        self._texts.append(text)
        self._time = created_at
        if len(self._texts) > JOINED:
            self._joined.append("".join(self._texts[:-KEPT_APART]))
            del self._texts[:-KEPT_APART]

    def take_content(self) -> str:
        """Returns the content of the copies added since the last call."""
        self._make()
        content: Final = self._content
        self._content = ""
        return content

    def _make(self) -> None:
        template, texts = self._template, self._texts
        if template is None:
            return
        made: Final = ("".join((*self._joined, *texts[:-KEPT_APART])), *texts[-KEPT_APART:])
        self._template, self._joined, self._texts = None, [], []
        if template.is_content:
            self._content += "".join(made)
        for text in made:
            if text:
                super().append(template.fill(text, self._time))

    def append(self, chunk: ModelResponseStream) -> None:
        """Adds a chunk behind all others."""
        self._make()
        super().append(chunk)

    def __len__(self) -> int:
        self._make()
        return super().__len__()

    def __iter__(self) -> Iterator[ModelResponseStream]:
        self._make()
        return super().__iter__()

    def __reversed__(self) -> Iterator[ModelResponseStream]:
        self._make()
        return super().__reversed__()

    @overload
    def __getitem__(self, which: SupportsIndex) -> ModelResponseStream: ...

    @overload
    def __getitem__(self, which: slice) -> list[ModelResponseStream]: ...

    def __getitem__(self, which: SupportsIndex | slice) -> ModelResponseStream | list[ModelResponseStream]:
        self._make()
        return super().__getitem__(which)
