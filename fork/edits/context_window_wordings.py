"""
vLLM says in more than one way that a prompt does not fit, and `context_window_fallbacks` run for those known only.

The wordings are of its releases 0.6 to 0.33: the engine's check of the prompt with its pictures (`too long to fit`,
`longer than the maximum model length`, the encoder's cache), the servers' checks before it, the Responses API's, and
the room for an answer that is negative where no `max_tokens` was given (0.8 to 0.10).
"""

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="fix-context-window-wordings")


@EDIT.element(
    "litellm/litellm_core_utils/exception_mapping_utils.py",
    "ExceptionCheckers.is_error_str_context_window_exceeded.known_exception_substrings",
)
def wordings() -> object:
    return [
        "longer than the maximum model length of",
        "is too long to fit into the model",
        "however, the model's context length is only",
        "exceeds model's maximum context length",
        "exceeds the max_model_len",
        "more than max_model_len=",
        "exceeds the pre-allocated encoder cache size",
        "max_tokens must be at least 1, got -",
    ]
