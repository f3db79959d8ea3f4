"""
The removal of `strict` and `additionalProperties: false` removed a tool's own parameters of these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.json_schema_keywords import remove_keyword

EDIT = Edit(__name__, __doc__, patch="fix-schema-keywords")
Schema = TypeVar("Schema")


@EDIT.body("litellm/utils.py", "remove_additional_properties")
def without_additional_properties(schema: Schema) -> Schema:
    remove_keyword(schema, "additionalProperties", lambda value: value is False)
    return schema


@EDIT.body("litellm/utils.py", "remove_strict_from_schema")
def without_strict(schema: Schema) -> Schema:
    remove_keyword(schema, "strict", lambda value: True)
    return schema
