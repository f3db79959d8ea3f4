"""A third of what a streamed chunk costs is to ask pydantic models for fields that they do not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.proxy.common_utils.plain_chunks import as_plain_objects
    from litellm.proxy.proxy_server import _fast_serialize_simple_model_response_stream
    from litellm.types.utils import ModelResponseStream

EDIT = Edit(__name__, __doc__, patch="plain-chunks", speed=True, releases="<1.110")


def models(chunk: ModelResponseStream) -> object:
    return _fast_serialize_simple_model_response_stream(chunk)


@EDIT.instead_of(models, "litellm/proxy/proxy_server.py", "_serialize_streaming_chunk")
def plain(chunk: ModelResponseStream) -> object:
    return _fast_serialize_simple_model_response_stream(as_plain_objects(chunk))
