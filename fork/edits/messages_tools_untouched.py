"""
An Anthropic tool's other fields (`defer_loading`) went into the caller's own JSON schema, and from there to the server.
"""

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="fix-messages-tools-untouched")


def unmapped(k: str, mapped_tool_params: list[str]) -> object:
    return k not in mapped_tool_params


@EDIT.instead_of(
    unmapped,
    "litellm/llms/anthropic/pass_through/adapters/transformation.py",
    "LiteLLMAnthropicMessagesAdapter.translate_anthropic_tools_to_openai",
    releases="<1.109",
)
@EDIT.instead_of(
    unmapped,
    "litellm/llms/anthropic/messages/adapters/transformation.py",
    "LiteLLMAnthropicMessagesAdapter.translate_anthropic_tools_to_openai",
    releases=">=1.109",
)
def without_schema(k: str, mapped_tool_params: list[str], tool: dict[str, object]) -> object:
    return "input_schema" not in tool and k not in mapped_tool_params
