"""
What the commands take for a model: what a call names, with or without the provider before it.
"""

import os
from typing import Final

from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.errors import LexiqNovaError

PREFIXES: Final = ("lexiq_nova/", "remodlai/")


def model_named(text: str) -> str:
    """
    Returns the model that an argument names.

    Args:
        text: a directory or a model id; `lexiq_nova/` may stand before it.

    Raises:
        LexiqNovaError: it names none.
    """
    for prefix in PREFIXES:
        if text.startswith(prefix) and not os.path.exists(text):
            text = text.removeprefix(prefix)  # rebind-ok: one prefix after the other
    if not text.strip():
        raise failure("a model is a directory or a model id (`org/name`), not an empty text", 400)
    return Engine.place_of(text)


def engines_of(found: list[Engine], model: str) -> list[Engine]:
    """Returns those of some engines that a model, or the name of an engine, means."""
    named: Final = model_named(model)
    return [engine for engine in found if named in (engine.model, engine.name)]


def sentence(error: LexiqNovaError) -> str:
    """Returns what an error says, without the provider before it: the program's name says it."""
    return str(error.message).removeprefix("lexiq_nova: ")
