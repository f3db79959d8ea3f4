"""
One chunk of a stream as a mould for the next ones: what upstream's code made of a server's line, to be copied around
another string without parsing or validating the rest again.

Which string of a chunk comes from which place of the line is seen, not guessed: the line is parsed once more by
upstream's code with another text in that place.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from pydantic import BaseModel

from litellm.types.utils import ModelResponseStream

# The strings that differ from chunk to chunk. A quote inside a JSON string is escaped, so this never matches in text.
_TEXT: Final = re.compile(r'"(?:content|reasoning_content|reasoning|arguments)"\s*:\s*("(?:[^"\\]|\\.)+")')
# Stands in a line in place of its text, to be found in the chunk. No line of a server holds it.
_SENTINEL: Final = "\ue000litellm\ue000"
_set: Final = object.__setattr__


def _parser() -> Callable[[str], Any]:
    try:
        import orjson
    except ImportError:  # it comes with upstream's proxy extra only
        return json.loads
    return orjson.loads


loads: Final = _parser()


class _Model:
    """A pydantic model on the way from a chunk to its text, as it is without validation: state and the key to fill."""

    __slots__ = ("cls", "extra", "fields", "fields_set", "in_extra", "in_list", "key", "private")

    def __init__(self, model: BaseModel, key: str, in_list: bool) -> None:
        self.cls = type(model)
        self.fields = dict(model.__dict__)
        self.extra = dict(model.__pydantic_extra__ or {})
        self.fields_set = set(model.__pydantic_fields_set__)
        self.private = None if model.__pydantic_private__ is None else dict(model.__pydantic_private__)
        self.key = key
        self.in_extra = key in self.extra
        self.in_list = in_list


class ChunkTemplate:
    """
    A chunk that upstream made of a line of the server.

    Args:
        prefix: the line up to the text.
        suffix: the line after the text.
        path: the models from the text out to the chunk.
    """

    __slots__ = ("_hidden", "_path", "_private", "is_content", "prefix", "suffix")

    def __init__(self, prefix: str, suffix: str, path: list[_Model]) -> None:
        self.prefix = prefix
        self.suffix = suffix
        self.is_content = path[0].key == "content"
        self._path = path
        self._private = path[-1].private or {}
        self._hidden = dict(self._private["_hidden_params"])

    @classmethod
    def of(cls, line: str, chunk: ModelResponseStream, parse: Callable[[str], object]) -> "ChunkTemplate | None":
        """
        Finds the string in `line` that became the one text of `chunk`.

        Args:
            line: what the server sent.
            chunk: what upstream made of it.
            parse: upstream's parser of a line.

        Returns:
            The template, or None where more than one string may differ between chunks like this.
        """
        for match in _TEXT.finditer(line):
            prefix, suffix = line[: match.start(1)], line[match.end(1) :]
            try:
                paths = _paths(chunk, loads(match[1]))
                moved = _places(parse(f'{prefix}"{_SENTINEL}"{suffix}'), _SENTINEL)
            except ValueError:
                return None
            if len(paths) != 1 or moved != [_place(paths[0])]:
                continue
            # Content beside a text of another kind is part of the answer in each such chunk, not only in the first.
            if paths[0][0].key == "content" or not chunk.choices[0].delta.content:
                return cls(prefix, suffix, paths[0])
        return None

    def text(self, line: str) -> str | None:
        """Returns the text of a line that differs from this template's in nothing else, None for any other line."""
        if not (line.startswith(self.prefix) and line.endswith(self.suffix)):
            return None
        # Upstream takes any line that holds this for the end of the stream, even where a model wrote it.
        if "[DONE]" in line:
            return None
        try:
            text: Final = loads(line[len(self.prefix) : len(line) - len(self.suffix)])
        except ValueError:
            return None
        return text if text and isinstance(text, str) else None

    def fill(self, text: str, created_at: float) -> ModelResponseStream:
        """
        Makes the chunk that upstream would have made.

        Args:
            text: its text.
            created_at: its time of arrival, seconds since the epoch.

        Returns:
            A chunk that shares nothing with others but what upstream's chunks share too.
        """
        value: Any = text  # rebind-ok: packed into one model after the other
        for model in self._path:
            copy = model.cls.__new__(model.cls)
            if model.in_extra:
                _set(copy, "__dict__", model.fields.copy())
                _set(copy, "__pydantic_extra__", {**model.extra, model.key: value})
            else:
                _set(copy, "__dict__", {**model.fields, model.key: value})
                _set(copy, "__pydantic_extra__", model.extra.copy())
            _set(copy, "__pydantic_fields_set__", model.fields_set.copy())
            _set(copy, "__pydantic_private__", None if model.private is None else model.private.copy())
            value = [copy] if model.in_list else copy
        _set(
            value,
            "__pydantic_private__",
            {**self._private, "_hidden_params": {**self._hidden, "created_at": created_at}},
        )
        return value


def _paths(model: BaseModel, text: str, in_list: bool = False) -> list[list[_Model]]:
    """
    Finds where a model holds a text.

    Args:
        model: model to search, with the models in it.
        text: what to look for.
        in_list: whether the model stands in a list.

    Returns:
        The models from each place out to `model`.

    Raises:
        ValueError: the model holds something that copies would share and could change: anything but plain values, and
            models, each alone in a list or not, that hold the text.
    """
    found: Final[list[list[_Model]]] = []
    for key, value in {**model.__dict__, **(model.__pydantic_extra__ or {})}.items():
        one_in_list = isinstance(value, list) and len(value) == 1
        inner = value[0] if one_in_list else value
        if isinstance(inner, BaseModel):
            paths = _paths(inner, text, one_in_list)
            if not paths:
                raise ValueError(f"{key} would be shared")
            found.extend([*path, _Model(model, key, in_list)] for path in paths)
        elif one_in_list or not isinstance(value, str | int | float | bool | None):
            raise ValueError(f"{key} would be shared")
        elif value == text:
            found.append([_Model(model, key, in_list)])
    return found


def _place(path: list[_Model]) -> tuple[str | int, ...]:
    """The place of a text in a chunk, as `_places` names it."""
    keys: Final[list[str | int]] = []
    for model in reversed(path):
        keys.extend((0, model.key) if model.in_list else (model.key,))
    return tuple(keys)


def _places(parsed: object, text: str) -> list[tuple[str | int, ...]]:
    """Finds each string that holds `text`, by the keys and indices that lead to it."""
    found: Final[list[tuple[str | int, ...]]] = []
    waiting: Final[list[tuple[tuple[str | int, ...], object]]] = [((), parsed)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str) and text in value:
            found.append(place)
        inner: Any = ()
        if isinstance(value, BaseModel):
            inner = {**value.__dict__, **(value.__pydantic_extra__ or {})}.items()
        elif isinstance(value, dict):
            inner = value.items()
        elif isinstance(value, list):
            inner = enumerate(value)
        waiting.extend(((*place, key), each) for key, each in inner)
    return found
