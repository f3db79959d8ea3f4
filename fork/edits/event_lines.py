"""The events of a Responses stream are read line by line, and their JSON by Python's own parser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from openai._streaming import SSEDecoder

    from litellm.responses.event_lines import EventDecoder, read_json

EDIT = Edit(__name__, __doc__, patch="event-lines", speed=True)
STREAMS = "litellm/responses/streaming_iterator.py"


def decoder() -> object:
    return SSEDecoder()


@EDIT.instead_of(decoder, STREAMS, "SyncResponsesAPIStreamingIterator.__init__")
@EDIT.instead_of(decoder, STREAMS, "ResponsesAPIStreamingIterator.__init__")
def decoder_of_many() -> object:
    return EventDecoder(SSEDecoder())


def parsed(payload: str | bytes) -> object:
    return json.loads(payload)


@EDIT.instead_of(parsed, STREAMS, "_load_json_value")
def parsed_by_pydantic(payload: str | bytes) -> object:
    return read_json(payload)
