"""
Removes a keyword from JSON schemas, and never a property that happens to have the keyword's name.
"""

from collections.abc import Callable
from typing import Final

# Keywords whose value maps names of the schema's author to schemas.
NAMED_SCHEMAS: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
# Keywords whose value is data, not a schema.
DATA: Final = frozenset({"const", "default", "enum", "example", "examples"})


def remove_keyword(schema: object, keyword: str, removable: Callable[[object], bool]) -> None:
    """
    Removes a keyword wherever it stands as a keyword, in place.

    Args:
        schema: a JSON schema, or lists and dicts that hold schemas (a tool, a response format).
        keyword: the keyword's name.
        removable: says of the keyword's value whether it goes.
    """
    pending: Final = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            if keyword in node and removable(node[keyword]):
                del node[keyword]
            for name, value in node.items():
                if name in NAMED_SCHEMAS and isinstance(value, dict):
                    pending.extend(value.values())
                elif name not in DATA:
                    pending.append(value)
