"""
A Responses stream that raised kept its connection until it was dropped, so the server went on generating for nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.responses.raising_streams import acloses_when_raising, closes_when_raising

EDIT = Edit(__name__, __doc__, patch="raising-responses")
STREAMS = "litellm/responses/streaming_iterator.py"


@EDIT.decorator(STREAMS, "SyncResponsesAPIStreamingIterator.__next__")
def closing() -> object:
    return closes_when_raising


@EDIT.decorator(STREAMS, "ResponsesAPIStreamingIterator.__anext__")
def aclosing() -> object:
    return acloses_when_raising
