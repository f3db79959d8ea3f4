"""An awaited text completion forgets its provider: its errors name OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.own_providers import own_provider_of

EDIT = Edit(__name__, __doc__, patch="remodlai")


def forgotten() -> None:
    custom_llm_provider = None


@EDIT.instead_of(forgotten, "litellm/main.py", "atext_completion")
def known(args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    custom_llm_provider = own_provider_of(args, kwargs)
