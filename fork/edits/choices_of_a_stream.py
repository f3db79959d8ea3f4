"""
A stream of several choices lost the finish reasons of all but the first, and text completions their indices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.streamed_choices import StreamedChoices
    from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
    from litellm.types.utils import ModelResponseStream

EDIT = Edit(__name__, __doc__, patch="fix-choices-of-a-stream")
_FILE = "litellm/litellm_core_utils/streaming_handler.py"


@EDIT.start(_FILE, "CustomStreamWrapper.__init__")
def known(self: CustomStreamWrapper) -> None:
    self.streamed_choices = StreamedChoices()


@EDIT.start(_FILE, "CustomStreamWrapper.chunk_creator")
def seen(self: CustomStreamWrapper, chunk: object) -> None:
    self.streamed_choices.see(chunk)


@EDIT.start(_FILE, "CustomStreamWrapper.return_processed_chunk_logic")
def told(self: CustomStreamWrapper, completion_obj: dict[str, object], model_response: ModelResponseStream) -> Any:
    if self.streamed_choices.several:
        if (finished := self.streamed_choices.finished(self, model_response)) is not None:
            return finished
        completion_obj["index"] = self.streamed_choices.index()


@EDIT.start(_FILE, "CustomStreamWrapper.finish_reason_handler")
def rest(self: CustomStreamWrapper) -> Any:
    if self.streamed_choices.several:
        return self.streamed_choices.rest(self.model_response_creator())
