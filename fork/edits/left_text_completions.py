"""
A streamed text completion that its client leaves was billed to nobody and logged nowhere: its stream kept no chunks.

The proxy bills a chat stream that is left by the stream's `chunks` and `messages`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.litellm_logging import Logging as LiteLLMLoggingObj
    from litellm.types.utils import ModelResponse, ModelResponseStream
    from litellm.utils import TextCompletionStreamWrapper

EDIT = Edit(__name__, __doc__, patch="fix-left-text-completions")
STREAMS, STREAMS_1_109 = "litellm/utils.py", "litellm/text_completions/streaming_iterator.py"


@EDIT.start(STREAMS, "TextCompletionStreamWrapper.__init__", releases="<1.109")
@EDIT.start(STREAMS_1_109, "TextCompletionStreamWrapper.__init__", releases=">=1.109")
def known(self: TextCompletionStreamWrapper) -> None:
    self.chunks = list[ModelResponse | ModelResponseStream]()
    # What has none is wrapped by the Router, and the proxy sees no chunks.
    self._hidden_params = dict[str, object]()


@EDIT.start(STREAMS, "TextCompletionStreamWrapper.convert_to_text_completion_object", releases="<1.109")
@EDIT.start(STREAMS_1_109, "TextCompletionStreamWrapper.convert_to_text_completion_object", releases=">=1.109")
def kept(self: TextCompletionStreamWrapper, chunk: ModelResponse | ModelResponseStream) -> None:
    self.chunks.append(chunk)


def own_messages(response: object) -> object:
    return getattr(response, "messages", None)


@EDIT.instead_of(
    own_messages, "litellm/proxy/common_request_processing.py", "_bill_partial_streamed_spend_on_disconnect"
)
def messages_of_call(response: object, logging_obj: LiteLLMLoggingObj) -> object:
    return getattr(response, "messages", logging_obj.messages)
