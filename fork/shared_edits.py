"""
Edits of functions that all providers share: what a call costs in LiteLLM itself, whoever answers it.

Each stands on its own, so that an upstream reviewer could take it without the others, and changes nothing that a
logger, a cache, the Router or a cost calculation sees.
"""

from fork.edit import Edit

_UNMAPPED = "a self-hosted model is in no price list; every call looks for it some ten times, each in every list"
_UNHEARD = "without callbacks every call still builds a log entry and hands it to another thread or task"

SHARED_EDITS = (
    Edit(
        "unmapped-models",
        "litellm/utils.py",
        "_model_not_mapped_message",
        "after",
        '''

_UNMAPPED_MODELS: Final[dict[tuple[str, str], tuple[tuple[str, ...], object, object]]] = {}


def _remembering_unmapped_models(lookup):
    """
    A model that no price list knows stays unknown for as long as none of its names is added to a list.

    Remembered are the names it was looked up by, and the two tables, replaced whenever a list changes through
    `register_model` or a reload, that were searched besides `litellm.model_cost`.
    """
    from litellm.litellm_core_utils.fallback_generalizations import _registry

    @wraps(lookup)
    def remembered(model, custom_llm_provider=None, *args, **kwargs):
        names, lowercase_map, rules = _UNMAPPED_MODELS.get((model, custom_llm_provider), ((), None, None))
        if names:
            if (
                lowercase_map is _model_cost_lowercase_map
                and rules is _registry.capability_rules
                and not any(name in litellm.model_cost for name in names)
            ):
                raise ModelNotMappedError(_model_not_mapped_message(model, custom_llm_provider))
            _UNMAPPED_MODELS.pop((model, custom_llm_provider), None)
        try:
            return lookup(model, custom_llm_provider, *args, **kwargs)
        except ModelNotMappedError:
            names = _names_of_unmapped_model(model, custom_llm_provider)
            if names and _model_cost_lowercase_map is not None:
                if len(_UNMAPPED_MODELS) >= DEFAULT_MAX_LRU_CACHE_SIZE:
                    _UNMAPPED_MODELS.clear()
                tables = (_model_cost_lowercase_map, _registry.capability_rules)
                _UNMAPPED_MODELS[(model, custom_llm_provider)] = (names, *tables)
            raise

    return remembered


def _names_of_unmapped_model(model: str, custom_llm_provider: str | None) -> tuple[str, ...]:
    """The names a model is looked up by; none where more than these and the price lists decide."""
    if custom_llm_provider not in LlmProvidersSet or custom_llm_provider.startswith("vertex_ai"):
        return ()
    if model in litellm.azure_llms or model in litellm.azure_embedding_models:
        return ()
    provider_info = ProviderConfigManager.get_provider_model_info(
        model=model, provider=LlmProviders(custom_llm_provider)
    )
    if callable(getattr(provider_info, "get_model_info", None)):
        return ()
    names = (model, *map(str, get_potential_model_names(model, custom_llm_provider).values()))
    return () if any(get_model_cost_key(name) is not None for name in names) else names''',
        _UNMAPPED,
    ),
    Edit(
        "unmapped-models",
        "litellm/utils.py",
        "get_model_info_helper",
        "above",
        "@_remembering_unmapped_models",
        _UNMAPPED,
    ),
    Edit(
        "unheard-success",
        "litellm/litellm_core_utils/litellm_logging.py",
        "Logging.success_handler",
        "after",
        '''
# Set where a call makes its own logging object, which nobody but its callbacks gets to see.
made_by_call: bool = False

def success_is_heard(self) -> bool:
    """Whether anything but this object can learn that the call succeeded: a callback, a budget, a log, the caller."""
    return bool(
        not self.made_by_call
        or self.call_type not in _CALL_TYPES_ONLY_LOGGED
        or litellm.success_callback
        or litellm._async_success_callback
        or self.dynamic_success_callbacks
        or self.dynamic_async_success_callbacks
        or litellm.max_budget
        or self.litellm_params.get("metadata")  # the caller's own: the handlers add to it
        or is_debugging_on()
        or os.getenv("LITELLM_PRINT_STANDARD_LOGGING_PAYLOAD")
    )''',
        _UNHEARD,
    ),
    Edit(
        "unheard-success",
        "litellm/litellm_core_utils/litellm_logging.py",
        "_in_memory_loggers",
        "after",
        """
# Of these, the success handlers log the answer and change nothing in it.
_CALL_TYPES_ONLY_LOGGED: Final = frozenset(
    name
    for kind in ("completion", "text_completion", "embedding", "rerank", "responses")
    for name in (kind, f"a{kind}")
)""",
        _UNHEARD,
    ),
    Edit(
        "unheard-success",
        "litellm/utils.py",
        "function_setup.litellm_params",
        "after",
        "logging_obj.made_by_call = True",
        _UNHEARD,
    ),
    Edit(
        "unheard-success",
        "litellm/utils.py",
        "client.wrapper.executor",
        "after",
        "if not logging_obj.success_is_heard():\n    return result",
        _UNHEARD,
    ),
    Edit(
        "unheard-success",
        "litellm/utils.py",
        "_schedule_async_success_logging._enqueue_async_logging",
        "start",
        """\
if not logging_obj.success_is_heard():
    logging_obj.mark_async_success_log_enqueued()
    return""",
        _UNHEARD,
    ),
)
