"""
Edits of functions that all providers share: what a call costs in LiteLLM itself, whoever answers it.

An upstream reviewer could take each without the others; only `unpriced-models` builds on `unmapped-models`. None
changes what a logger, a cache, the Router or a cost calculation sees.
"""

from fork.text_edit import Edit

_UNMAPPED = "a self-hosted model is in no price list; every call looks for it some ten times, each in every list"
_UNPRICED = "without a price every way to it is tried, three names deep, twice a call: no list knows any of them"
_LISTED = "the list of all providers is built again for every call"
_UNREAD = "the answer is made into text for a log line that is written only in debug mode"
_PARSED = "httpx parses the same URL again for every call"
_BLOCKED = "the jar of LiteLLM's clients keeps no cookie, yet every answer's are looked for in a second request object"
_GIVEN = "all parameters of a call are validated to read the one base that it was given"
_DYNAMIC = "three names are listed again for every call"
_ANSWERED = "an answer is inspected as if it could be a function"
_UNHEARD = "without callbacks every call still builds a log entry and hands it to another thread or task"

SHARED_EDITS = (
    Edit(
        "unmapped-models",
        "litellm/utils.py",
        "_model_not_mapped_message",
        "after",
        '''
from litellm.litellm_core_utils import fallback_generalizations

_UNMAPPED_MODELS: Final[dict[tuple[str, str | None], tuple[frozenset[str], object, object]]] = {}


def is_known_unmapped(model: str, custom_llm_provider: str | None) -> bool:
    """
    Whether a model was looked for before, was in no price list, and none has changed since that could know it.

    Remembered are the names it is looked up by, and the two tables, replaced whenever a list changes through
    `register_model` or a reload, that are searched besides `litellm.model_cost`.
    """
    remembered = _UNMAPPED_MODELS.get((model, custom_llm_provider))
    if remembered is None:
        return False
    names, lowercase_map, rules = remembered
    if (
        lowercase_map is _model_cost_lowercase_map
        and rules is fallback_generalizations._registry.capability_rules
        and litellm.model_cost.keys().isdisjoint(names)
    ):
        return True
    _UNMAPPED_MODELS.pop((model, custom_llm_provider), None)
    return False


def _remembering_unmapped_models(lookup):
    """A lookup of a model's info that does not search again for a model that no price list knows."""

    @wraps(lookup)
    def remembered(model, custom_llm_provider=None, *args, **kwargs):
        if is_known_unmapped(model, custom_llm_provider):
            raise ModelNotMappedError(_model_not_mapped_message(model, custom_llm_provider))
        # Taken before the search, so that a list that changes meanwhile is not taken for searched.
        tables = (_model_cost_lowercase_map, fallback_generalizations._registry.capability_rules)
        try:
            return lookup(model, custom_llm_provider, *args, **kwargs)
        except ModelNotMappedError:
            names = _names_of_unmapped_model(model, custom_llm_provider)
            if names and tables[0] is not None:
                if len(_UNMAPPED_MODELS) >= DEFAULT_MAX_LRU_CACHE_SIZE:
                    _UNMAPPED_MODELS.clear()
                _UNMAPPED_MODELS[(model, custom_llm_provider)] = (frozenset(names), *tables)
            raise

    return remembered


def _names_of_unmapped_model(model: str, custom_llm_provider: str | None) -> tuple[str, ...]:
    """The names a model is looked up by; none where more than these and the price lists decide."""
    if custom_llm_provider not in LlmProvidersSet or custom_llm_provider.startswith(("vertex_ai", "huggingface")):
        return ()
    if model in litellm.azure_llms or model in litellm.azure_embedding_models:
        return ()
    provider_info = ProviderConfigManager.get_provider_model_info(
        model=model, provider=LlmProviders(custom_llm_provider)
    )
    if callable(getattr(provider_info, "get_model_info", None)):
        return ()
    searched = map(str, get_potential_model_names(model, custom_llm_provider).values())
    # Prices are looked up without the leading parts of a name, too.
    parts = model.split("/")
    tails = ("/".join(parts[start:]) for start in range(1, len(parts)))
    names = (model, *searched, *(name for tail in tails for name in (tail, f"{custom_llm_provider}/{tail}")))
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
    Edit(
        "unpriced-models",
        "litellm/cost_calculator.py",
        "response_cost_calculator",
        "start",
        """\
if (
    call_type in _CALL_TYPES_PRICED_BY_TOKEN
    and not (cache_hit or custom_pricing or base_model or router_model_id)
    and _is_known_unpriced(response_object, model, custom_llm_provider)
):
    if litellm_logging_obj is not None:
        litellm_logging_obj.is_unpriced = True
    # What the last of its names comes to in `completion_cost`.
    cached_get_model_info_helper(model=model, custom_llm_provider=custom_llm_provider)""",
        _UNPRICED,
    ),
    Edit(
        "unpriced-models",
        "litellm/litellm_core_utils/litellm_logging.py",
        "Logging._record_zero_cost_diagnostic",
        "start",
        """\
is_unpriced, self.is_unpriced = self.is_unpriced, False
if is_unpriced and calculation_failed:
    # Without a price there is none to find at fault.
    self.model_call_details["zero_cost_diagnostic"] = None
    return""",
        _UNPRICED,
    ),
    Edit(
        "unpriced-models",
        "litellm/litellm_core_utils/litellm_logging.py",
        "Logging._record_zero_cost_diagnostic",
        "after",
        """
# Whether the calculation that is being recorded was of a model that is known to be in no price list.
is_unpriced: bool = False""",
        _UNPRICED,
    ),
    Edit(
        "unpriced-models",
        "litellm/cost_calculator.py",
        "has_hidden_params",
        "after",
        '''

# Servers of one's own, which have no prices but those of the lists, the call or the answer.
_PROVIDERS_PRICED_BY_LISTS: Final = frozenset({"hosted_vllm", "remodlai", "lexiq_nova"})
_CALL_TYPES_PRICED_BY_TOKEN: Final = frozenset(
    name for kind in ("completion", "text_completion", "embedding") for name in (kind, f"a{kind}")
)


def _is_known_unpriced(response: object, model: str | None, custom_llm_provider: str | None) -> bool:
    """Whether a response states no price of its own and no price list knows a name that it could be priced by."""
    if custom_llm_provider not in _PROVIDERS_PRICED_BY_LISTS:
        return False
    if isinstance(response, (ModelResponse, EmbeddingResponse)):
        names = (response.model, model)
    elif isinstance(response, litellm.CustomStreamWrapper):
        names = (model,)
    else:
        return False
    hidden_params = response._hidden_params
    return (
        isinstance(hidden_params, dict)
        and hidden_params.get("custom_llm_provider") in (None, custom_llm_provider)
        and hidden_params.get("provider_response_model") in (None, names[0])
        and get_response_cost_from_hidden_params(hidden_params) is None
        and all(isinstance(name, str) and litellm.utils.is_known_unmapped(name, custom_llm_provider) for name in names)
    )''',
        _UNPRICED,
    ),
    Edit(
        "unread-response",
        "litellm/litellm_core_utils/litellm_logging.py",
        "Logging.post_call",
        "instead",
        r'_WhenRead("RAW RESPONSE:\n{}\n\n".format)',
        _UNREAD,
        replaces=r'"RAW RESPONSE:\n{}\n\n".format',
    ),
    Edit(
        "unread-response",
        "litellm/litellm_core_utils/litellm_logging.py",
        "Logging",
        "above",
        '''\
class _WhenRead:
    """The text of a log line, made when it is written."""

    def __init__(self, make: Callable[[object], str]) -> None:
        self._make = make
        self._of: object = None

    def __call__(self, of: object) -> "_WhenRead":
        self._of = of
        return self

    def __str__(self) -> str:
        return self._make(self._of)

''',
        _UNREAD,
    ),
    *(
        Edit("parsed-urls", "litellm/llms/custom_httpx/http_handler.py", f"{handler}.post", "start", code, _PARSED)
        for handler in ("HTTPHandler", "AsyncHTTPHandler")
        for code in ("url = _parsed_url(url)",)
    ),
    Edit(
        "parsed-urls",
        "litellm/llms/custom_httpx/http_handler.py",
        "_DEFAULT_TIMEOUT",
        "after",
        """
from functools import lru_cache


@lru_cache(maxsize=64)
def _parsed_url(url: str) -> httpx.URL:
    return httpx.URL(url)
""",
        _PARSED,
    ),
    Edit(
        "blocked-cookies",
        "litellm/llms/custom_httpx/http_handler.py",
        "blocked_cookie_jar",
        "after",
        '''

from functools import wraps


class _BlockedCookies(httpx.Cookies):
    """Cookies of which only a response that sets one is searched."""

    def extract_cookies(self, response: httpx.Response) -> None:
        if "set-cookie" in response.headers:
            super().extract_cookies(response)


def _with_blocked_cookies(create_client):
    @wraps(create_client)
    def created(*args, **kwargs):
        client = create_client(*args, **kwargs)
        client._cookies = _BlockedCookies(client.cookies.jar)
        return client

    return created''',
        _BLOCKED,
    ),
    *(
        Edit(
            "blocked-cookies",
            "litellm/llms/custom_httpx/http_handler.py",
            f"{handler}.create_client",
            "above",
            "@_with_blocked_cookies",
            _BLOCKED,
        )
        for handler in ("HTTPHandler", "AsyncHTTPHandler")
    ),
    Edit(
        "given-base",
        "litellm/litellm_core_utils/llm_response_utils/get_api_base.py",
        "get_api_base",
        "start",
        """\
if (
    isinstance(optional_params, dict)
    and isinstance(api_base := optional_params.get("api_base"), str)
    and isinstance(optional_params.get("api_key", ""), str)
    and isinstance(optional_params.get("model", model), str)
    and _VALIDATED_PARAMS.isdisjoint(optional_params)
):
    return api_base
""",
        _GIVEN,
    ),
    Edit(
        "given-base",
        "litellm/litellm_core_utils/llm_response_utils/get_api_base.py",
        "_api_base_without_login",
        "after",
        """

# Those of LiteLLM_Params that may be refused, but for three that are any text.
_VALIDATED_PARAMS: Final = frozenset(LiteLLM_Params.model_fields) - {"api_base", "api_key", "model"}
""",
        _GIVEN,
    ),
    Edit(
        "list-of-dynamic-params",
        "litellm/types/utils.py",
        "DynamicPromptManagementParamLiteral.list_all_params",
        "instead",
        "[*cls._value2member_map_]",
        _DYNAMIC,
        replaces="[param.value for param in cls]",
    ),
    Edit(
        "answer-no-function",
        "litellm/utils.py",
        "post_call_processing",
        "instead",
        "not isinstance(original_response, ModelResponse) and check_coroutine(original_response)",
        _ANSWERED,
        replaces="check_coroutine(original_response)",
    ),
)
