"""A call's parameters become a dict several times, and each time every name is asked whether it is a private one."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from pydantic import BaseModel

EDIT = Edit(__name__, __doc__, patch="params-items", speed=True)


# pydantic keeps private attributes elsewhere.
@EDIT.after("litellm/types/router.py", "GenericLiteLLMParams.get")
def items() -> None:
    def __iter__(self: BaseModel) -> Generator[tuple[str, object], None, None]:
        yield from self.__dict__.items()
        yield from (self.__pydantic_extra__ or {}).items()
