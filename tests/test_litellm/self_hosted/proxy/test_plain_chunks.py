"""A chunk of plain objects is serialized as the chunk itself."""

from typing import Any

import pytest

from litellm.proxy import proxy_server
from litellm.proxy.common_utils.plain_chunks import as_plain_objects
from litellm.types.utils import ModelResponseStream

DELTAS: list[dict[str, Any]] = [
    {"content": "Paris"},
    {"role": "assistant", "content": ""},
    {},
    {"reasoning_content": "Hm."},
    {"content": "a", "tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]},
    {"content": "a", "refusal": "no"},
    {"content": "a", "something": "else"},
]

CHUNKS = [
    *({"choices": [{"index": 0, "delta": delta}]} for delta in DELTAS),
    {"choices": [{"index": 0, "delta": {"content": "é\n"}, "finish_reason": "stop"}], "service_tier": "default"},
    {"choices": [{"index": 1, "delta": {"content": "a"}}, {"index": 0, "delta": {"content": "b"}}]},
    {"choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": []}}]},
    {"choices": [{"index": 0, "delta": {"content": "a"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    {"choices": [{"index": 0, "delta": {"content": "a"}}], "system_fingerprint": "f"},
    {"choices": []},
]


@pytest.mark.parametrize("fields", CHUNKS)
def test_a_chunk_is_serialised_as_upstream_does(fields: dict[str, Any]) -> None:
    chunk = ModelResponseStream(id="1", model="nova", created=1, **fields)
    before = chunk.model_dump_json()
    serialize = proxy_server._fast_serialize_simple_model_response_stream

    assert serialize(as_plain_objects(chunk)) == serialize(chunk)
    assert chunk.model_dump_json() == before
