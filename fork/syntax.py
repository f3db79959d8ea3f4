"""Python's parser, safe in a process that does other things as well."""

import ast
import gc


def parsed(source: str | bytes) -> ast.Module:
    """
    Parses a module as `ast.parse` does, with the garbage collector held back.

    The collector may run in the middle of a long parse, and a finalizer that it calls may parse as well: a warning
    that prints a traceback does. CPython counts the depth of both in one place and then says `SystemError: AST
    constructor recursion depth mismatch` (seen with 3.11.7).

    Args:
        source: the module's text.

    Raises:
        SyntaxError: `source` is not Python.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        if was_on:
            gc.enable()
