"""hosted_vllm has no key variable to twin."""

from __future__ import annotations

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="remodlai")


@EDIT.after("litellm/__init__.py", "openai_like_key")
def keys() -> None:
    remodlai_key: str | None = None
    lexiq_nova_key: str | None = None
