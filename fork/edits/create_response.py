"""The REST reference's names of the Responses functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.responses.dispatch import aresponses, responses

EDIT = Edit(__name__, __doc__, patch="create-response")


DISPATCH = "litellm/responses/dispatch.py"


@EDIT.element(DISPATCH, "__all__")
def public() -> object:
    return ("acreate_response", "create_response")


@EDIT.after(DISPATCH, "aresponses")
def names() -> None:
    create_response = responses
    acreate_response = aresponses
