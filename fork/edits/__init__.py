"""
The explicit edits of upstream: what the twin rule (fork.twins) does not do, one module each.

A module's docstring says why upstream is edited there. `EDIT` says which patch of the series the edit belongs to, for
which releases it is, and whether it only makes something cheaper. Each function below it is code for one or more
places of upstream, named by the decorator (`after`, `start`, `body`, `element`, `decorator`, `instead_of`):

    EDIT = Edit(__name__, __doc__, patch="remodlai")


    @EDIT.after("litellm/__init__.py", "openai_like_key")
    def key() -> None:
        remodlai_key: str | None = None

The function is never called: its body goes to upstream as it stands, without docstring. Its parameters are names that
upstream has at that place, so that linters and type checkers know them. A body that is one `return` is an expression.

Imports: a name that the code reads, that the edit's module imports at its top (from `litellm` under TYPE_CHECKING) and
that upstream's file does not have yet is imported at the top of upstream's file. An import inside the function stays
there; that is for circles only.

Old code: `@EDIT.instead_of(old, path, symbol)`, where `old` is a function that says what stands there. It is compared
by syntax, so formatting does not matter, and must be there once. A parameter of `old` with the type `Part` stands for
any expression; the new code may use it by that name:

    def limits(arguments: Part) -> object:
        return connect(arguments)


    @EDIT.instead_of(limits, "litellm/some/module.py", "Client.open")
    def bounded(arguments: Part) -> object:
        return connect(within_limits(arguments))

Where upstream moved: one more decorator, each with `releases=`, or one more function. Everything longer than a few
lines belongs into a module of ours at its path under `litellm/`, so that the edit is a call of it.
"""

from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from fork.edit import Edit


@lru_cache
def all_edits() -> tuple[Edit, ...]:
    """Every edit, by the name of its module."""
    names = sorted(module.name for module in iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").EDIT for name in names)
