"""All parameters of a call are validated to read the one base that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.llm_response_utils.given_api_base import given_api_base

EDIT = Edit(__name__, __doc__, patch="given-base", speed=True)


@EDIT.start("litellm/litellm_core_utils/llm_response_utils/get_api_base.py", "get_api_base")
def plain(model: str, optional_params: object) -> str | None:
    if (given := given_api_base(model, optional_params)) is not None:
        return given
