"""
What engine options say that is none of vLLM's business: how long the engine stays, what it gives way to, and which
variables it gets. They stand among vLLM's options, so that whatever carries and guards those does the same for them.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.engine.options import without, without_switch
from litellm.llms.remodlai.engine.settings import finite, progress_chunks
from litellm.llms.remodlai.errors import LexiqNovaError

# Tells a running engine what its latest caller wishes.
HEADER: Final = "x-lexiq-nova-wishes"
KEEP_ALIVE: Final = "keep-alive"
PRIORITY: Final = "priority"
ENV: Final = "env"
PROGRESS_CHUNKS: Final = "progress-chunks"
# The engine's socket, its key and the names that it answers by are decided here.
OWN_VARIABLES: Final = frozenset({"VLLM_API_KEY", "VLLM_RPC_BASE_PATH", "VLLM_SKIP_MODEL_NAME_VALIDATION"})


@dataclass(frozen=True)
class Wishes:
    """
    What does not make another engine; of several calls, the latest that says anything is obeyed.

    Args:
        keep_alive: seconds without a call after which the engine ends: 0 with its last user, never if negative.
        priority: engines of a lower one give way first.
        progress_chunks: whether the call's stream tells how far the start is; the engine does not learn of it.
    """

    keep_alive: float | None = None
    priority: float | None = None
    progress_chunks: bool | None = None

    def said(self) -> dict[str, float]:
        """Returns those for the engine that are given, by name."""
        said: Final = {"keep_alive": self.keep_alive, "priority": self.priority}
        return {name: value for name, value in said.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """Returns the header that tells an engine, if there is anything to tell."""
        said: Final = self.said()
        return {HEADER: json.dumps(said)} if said else {}

    def tells_progress(self) -> bool:
        """Whether a stream of the call tells how far the start of its engine is."""
        return progress_chunks() if self.progress_chunks is None else self.progress_chunks


def wishes_in(tokens: Sequence[str]) -> tuple[Wishes, dict[str, str], tuple[str, ...]]:
    """
    Takes out of engine options what is not for vLLM.

    Args:
        tokens: engine options in one form.

    Returns:
        The wishes, the engine's variables, and vLLM's options.

    Raises:
        LexiqNovaError: a value cannot be used; its message shows no variable's value.
    """
    tells, others = without_switch(tokens, PROGRESS_CHUNKS)
    own, rest = without(others, (KEEP_ALIVE, PRIORITY, ENV))
    wishes: Final = Wishes(_number(KEEP_ALIVE, own.get(KEEP_ALIVE)), _number(PRIORITY, own.get(PRIORITY)), tells)
    return wishes, _variables(own[ENV]) if ENV in own else {}, rest


def _number(name: str, values: Sequence[str] | None) -> float | None:
    if values is None:
        return None
    number: Final = finite(values[0]) if len(values) == 1 else None
    if number is None:
        given: Final = " ".join(values)
        raise failure(f"the engine option {name.replace('-', '_')} must be a number, not {given!r}", 400)
    return number


def _variables(values: Sequence[str]) -> dict[str, str]:
    with contextlib.suppress(ValueError):
        (text,) = values
        given: Final = json.loads(text)
        if isinstance(given, Mapping):
            return {name: _text(name, value) for name, value in sorted(given.items())}
    raise failure("the engine option env must be a dict of variables: {'CUDA_VISIBLE_DEVICES': '0'}", 400)


def _text(name: str, value: object) -> str:
    if name in OWN_VARIABLES:
        raise failure(f"the variable {name} is set by the provider and cannot be given", 400)
    parts: Final = value if isinstance(value, list) else [value]
    if any(isinstance(part, bool) or not isinstance(part, str | int | float) for part in parts):
        raise _unusable(name)
    text: Final = ",".join(map(str, parts))
    with contextlib.suppress(UnicodeEncodeError):
        if name and "=" not in name and b"\0" not in os.fsencode(name + text):
            return text
    raise _unusable(name)


def _unusable(name: str) -> LexiqNovaError:
    return failure(f"the engine option env cannot set {name!r}: a variable is text, a number or a list of these", 400)
