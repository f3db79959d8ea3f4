"""The settings of the local engines that the environment has, with what holds where it has none."""

import contextlib
import math
import os
import sys
from typing import Final

from litellm.llms.remodlai.engine.errors import failure

DEFAULT_KEEP_ALIVE: Final = 15 * 60.0
# Calls that one engine has at once, running or waiting.
DEFAULT_MAX_CALLS: Final = 4096
# How long a busy engine goes on taking calls when another model waits for its place.
DEFAULT_PATIENCE: Final = 10.0


def _number(name: str, default: float) -> float:
    text: Final = os.environ.get(name, "")
    if not text:
        return default
    number: Final = finite(text)
    if number is None:
        raise failure(f"{name} must be a number, not {text!r}", 400)
    return number


def finite(text: str) -> float | None:
    """Returns the number that a text is; None where it is none, or not a finite one."""
    with contextlib.suppress(ValueError):
        number: Final = float(text)
        return number if math.isfinite(number) else None
    return None


def is_on(name: str) -> bool:
    """Returns whether a variable of the environment says yes; anything but a few words is no."""
    return os.environ.get(name, "").lower() in ("1", "true", "yes", "on")


def keep_alive() -> float:
    """Returns after how many seconds without a call an engine ends: 0 with its last user, never if negative."""
    return _number("LEXIQ_NOVA_KEEP_ALIVE", DEFAULT_KEEP_ALIVE)


def max_engines() -> int | None:
    """Returns how many engines of this user may be up at once; None where memory decides."""
    number: Final = _number("LEXIQ_NOVA_MAX_ENGINES", math.inf)
    if number == math.inf:
        return None
    if number < 1:
        raise failure(f"LEXIQ_NOVA_MAX_ENGINES must be 1 or more, not {number:g}; unset, memory decides", 400)
    return int(number)


def max_calls() -> int:
    """Returns how many calls an engine takes at once, and how many of a process may wait for it; 0 for any number."""
    return int(_number("LEXIQ_NOVA_MAX_CALLS", DEFAULT_MAX_CALLS))


def patience() -> float:
    """Returns for how many seconds a busy engine goes on taking calls when another model waits for its place."""
    return _number("LEXIQ_NOVA_PATIENCE", DEFAULT_PATIENCE)


def progress_chunks() -> bool:
    """Returns whether a stream tells how far the start of its engine is."""
    return is_on("LEXIQ_NOVA_PROGRESS_CHUNKS")


def is_quiet() -> bool:
    """Returns whether nothing is to be said on stderr, a terminal or a notebook."""
    return is_on("LEXIQ_NOVA_QUIET")


def interpreter() -> str:
    """Returns the Python that has vLLM."""
    return os.environ.get("LEXIQ_NOVA_PYTHON") or sys.executable
