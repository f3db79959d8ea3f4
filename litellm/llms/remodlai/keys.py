"""
Keys of servers: which can be sent in a header, and what is put in their place wherever a text is shown.
"""

import contextlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

import httpx

from litellm.constants import PLACEHOLDER_API_KEY

# Keys that calls have used lately, the latest last: an error may come after its call, in another thread.
MAX_KEYS: Final = 1024
# Shorter keys are not looked for: a message is full of them.
MIN_LENGTH: Final = 8
SHOWN: Final = "****"

_used: Final[dict[str, None]] = {}
_SECRET_WORDS: Final = frozenset({"token", "key", "password", "secret"})
# An option of a command line, or a member of JSON, and its value.
_OPTION: Final = re.compile(r"""(?P<name>--?[\w.-]+[=\s]+|"[\w.-]+"\s*:\s*)(?P<value>"[^"]*"|'[^']*'|[^\s"',}]+)""")


def is_sendable(key: str) -> bool:
    """Whether a key can stand in a header: visible ASCII characters and nothing else."""
    return key.isascii() and key.isprintable() and " " not in key


def remember(key: str) -> None:
    """Notes a key that a call uses, so that `hidden` finds it."""
    if len(key) < MIN_LENGTH or key == PLACEHOLDER_API_KEY:
        return
    _used.pop(key, None)
    _used[key] = None
    if len(_used) > MAX_KEYS:
        _used.pop(next(iter(_used)), None)


def hidden(text: str) -> str:
    """Returns a text in which each key that a call has used is as many asterisks."""
    for key in tuple(_used):
        if key in text:
            text = text.replace(key, "*" * len(key))  # rebind-ok: one key after the other
    return text


def hidden_in(headers: httpx.Headers | dict[str, str]) -> httpx.Headers | dict[str, str]:
    """Returns headers whose values show no key."""
    shown: Final = {name: hidden(value) for name, value in headers.items()}
    return httpx.Headers(shown) if isinstance(headers, httpx.Headers) else shown


def hide(error: BaseException) -> None:
    """Hides keys in what an error shows: its arguments, message and body, and those of the errors it came from."""
    seen: Final[set[int]] = set()
    shown: BaseException | None = error  # rebind-ok: from an error to the one that it came from
    while shown is not None and id(shown) not in seen:
        seen.add(id(shown))
        _hide_alone(shown)
        shown = shown.__cause__ or shown.__context__


def _hide_alone(error: BaseException) -> None:
    error.args = tuple(hidden(part) if isinstance(part, str) else part for part in error.args)
    for name in ("message", "text"):
        if isinstance(value := getattr(error, name, None), str):
            setattr(error, name, hidden(value))
    if (body := getattr(error, "body", None)) is not None and (text := json.dumps(body, default=str)) != hidden(text):
        setattr(error, "body", json.loads(hidden(text)))  # noqa: B010  # only some errors have one
    for holder in (error, getattr(error, "response", None)):
        if isinstance(headers := getattr(holder, "headers", None), httpx.Headers | dict):
            setattr(holder, "headers", hidden_in(headers))  # noqa: B010  # as above


def _is_secret(option: str) -> bool:
    return not _SECRET_WORDS.isdisjoint(re.split(r"[^a-z]+", option.lower()))


def without_secrets(litellm_params: Mapping[str, object]) -> dict[str, object]:
    """
    A deployment's parameters to show: engine options and variables whose name says that they are secret have no value.

    Args:
        litellm_params: as the configuration has them; `engine_args` may be a dict, JSON, a command line or its words.
    """
    if "engine_args" not in litellm_params:
        return dict(litellm_params)
    return {**litellm_params, "engine_args": _shown(litellm_params["engine_args"])}


def _shown(options: object) -> object:
    """Engine options without secrets."""
    if isinstance(options, list | tuple):
        return words_shown(options)
    if isinstance(options, Mapping):
        return json.loads(json.dumps(options, default=str), object_hook=_members_shown)
    if isinstance(options, str) and not options.lstrip().startswith("{"):
        with contextlib.suppress(ValueError):  # quotes that do not end are text as any other
            return " ".join(map(str, words_shown(shlex.split(options))))
    return _text_shown(options)


def words_shown(words: Sequence[object]) -> list[object]:
    """Returns engine options, as the words of a command line, without secrets."""
    names: Final = (str(word) for word in ("", *words))
    is_value_of_secret: Final = (name[:1] == "-" and "=" not in name and _is_secret(name) for name in names)
    return [SHOWN if hides else _text_shown(word) for word, hides in zip(words, is_value_of_secret, strict=False)]


def _members_shown(members: Mapping[str, object]) -> dict[str, object]:
    return {name: SHOWN if _is_secret(name) else _text_shown(value) for name, value in members.items()}


def _text_shown(text: object) -> object:
    """A text without secrets; anything else as it is."""
    if not isinstance(text, str):
        return text
    with contextlib.suppress(ValueError):  # JSON with a mistake is text as any other
        if text.lstrip().startswith("{"):
            return json.dumps(json.loads(text, object_hook=_members_shown))
    return _OPTION.sub(_option_shown, text)


def _option_shown(option: re.Match[str]) -> str:
    if _is_secret(option["name"]):
        return option["name"] + SHOWN
    return option["name"] + _OPTION.sub(_option_shown, option["value"])
