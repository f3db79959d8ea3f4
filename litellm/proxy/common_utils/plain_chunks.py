"""
A streamed chunk as plain objects with the same fields. Asked for a field that it does not have, a plain object says so
at once, a pydantic model after a search.
"""

from types import SimpleNamespace
from typing import Final, cast  # noqa: TID251  # for the one cast below

from pydantic import BaseModel

from litellm.types.utils import ModelResponseStream


def as_plain_objects(chunk: ModelResponseStream) -> ModelResponseStream:
    """
    Returns a chunk of one choice as plain objects, any other as it is.

    Args:
        chunk: what a stream yielded. It stays as it is.
    """
    if len(chunk.choices) != 1 or not isinstance(chunk.choices[0].delta, BaseModel):
        return chunk
    copy: Final = _plain(chunk)
    choice: Final = _plain(chunk.choices[0])
    choice.delta = _plain(choice.delta)
    copy.choices = [choice]
    return cast(ModelResponseStream, copy)  # cast-ok: it has the fields that its reader asks for


def _plain(model: BaseModel) -> SimpleNamespace:
    return SimpleNamespace(**model.__dict__, **(model.__pydantic_extra__ or {}))
