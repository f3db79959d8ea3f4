"""The REST reference's names of the Responses functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.responses.dispatch import aresponses, responses

EDIT = Edit(__name__, __doc__, patch="create-response")


DISPATCH = "litellm/responses/dispatch.py"


def theirs() -> object:
    return ("aresponses", "responses")


@EDIT.instead_of(theirs, DISPATCH, "__all__")
def and_ours() -> object:
    return ("acreate_response", "aresponses", "create_response", "responses")


@EDIT.after(DISPATCH, "aresponses")
def names() -> None:
    create_response: Final = responses
    acreate_response: Final = aresponses
