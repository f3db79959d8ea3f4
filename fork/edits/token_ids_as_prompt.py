"""
Token ids as the prompt of a text completion, which vLLM takes, were refused for every server but OpenAI's.
"""

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="fix-token-ids-as-prompt")


def known(custom_llm_provider: str) -> object:
    return custom_llm_provider == "text-completion-codestral"


@EDIT.instead_of(known, "litellm/main.py", "text_completion")
def known_to_vllm(custom_llm_provider: str) -> object:
    return custom_llm_provider in ("text-completion-codestral", "hosted_vllm", "remodlai", "lexiq_nova")
