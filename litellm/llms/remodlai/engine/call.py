"""
Names the local engine in a call's `api_base`, before the call's own function sees it.

The hooks of the endpoints know the model, or the call's `engine_args`, or neither. Here both are known for each public
function, so that the URL of every request says which engine it is for. Upstream's `client` decorates all of them and
puts `naming_engine` around each, after a stored credential has filled in its base.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast

import litellm
from litellm.llms.remodlai.bases import meant

P = ParamSpec("P")  # rebind-ok: mypy takes no Final ParamSpec
R = TypeVar("R")  # rebind-ok: mypy takes no Final TypeVar

PROVIDERS: Final = ("remodlai", "lexiq_nova")
_BASES: Final = ("api_base", "base_url")
_PREFIXES: Final = ("remodlai/", "lexiq_nova/")


def naming_engine(function: Callable[P, R]) -> Callable[P, R]:
    """
    Puts the base of the local engine into the calls that no server is configured for.

    Args:
        function: a public function of LiteLLM, synchronous or not; calls for other providers pass as they are.

    Returns:
        The same function; it raises LiteLLM's exceptions where the engine may not or cannot be used.
    """
    names: Final = list(inspect.signature(function).parameters)
    position: Final = names.index("model") if "model" in names else len(names)

    def name(args: tuple[object, ...], call: dict[str, object]) -> None:
        """Changes the keywords of a call for our providers, which are this decorator's own."""
        given: Final = call.get("model")
        asked: Final = given if given is not None or len(args) <= position else args[position]
        model: Final = litellm.model_alias_map.get(asked, asked) if isinstance(asked, str) else asked
        provider: Final = call.get("custom_llm_provider")
        if provider in PROVIDERS or isinstance(model, str) and model.startswith(_PREFIXES):
            _name_engine(call, model, provider)

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> object:  # kwargs-ok: the call's own, passed on
            name(args, kwargs)
            return await function(*args, **kwargs)

        return cast(Callable[P, R], asynchronous)  # cast-ok: the R of such a function is its coroutine

    @wraps(function)
    def synchronous(*args: P.args, **kwargs: P.kwargs) -> R:  # kwargs-ok: the call's own, passed on
        name(args, kwargs)
        return function(*args, **kwargs)

    return synchronous


def _name_engine(call: dict[str, object], model: object, provider: object) -> None:
    # The provider's classes import LiteLLM, which is not complete when `client` decorates its functions.
    from litellm.llms.remodlai import local
    from litellm.llms.remodlai.common_utils import own_server
    from litellm.llms.remodlai.errors import LexiqNovaError
    from litellm.llms.remodlai.places import LOCAL_ENGINE

    engine_args: Final = call.pop("engine_args", None)
    given_base, key = call.get("api_base") or call.get("base_url"), call.get("api_key")
    for argument in _BASES:
        if given := call.get(argument):
            # Not every function of upstream's asks the provider what is meant, or takes anything but text.
            call[argument] = meant(str(given))
    name: Final = str(provider) if provider in PROVIDERS else str(model).split("/", 1)[0]
    try:
        base, _key = own_server(name, given_base, key if isinstance(key, str) else None)
    except LexiqNovaError as refusal:
        raise litellm.exception_type(model=model, original_exception=refusal, custom_llm_provider=name) from refusal
    if base != LOCAL_ENGINE or call.get("mock_response") is not None:
        return
    of_engine: Final = model.removeprefix(f"{name}/") if isinstance(model, str) else ""
    try:
        call["api_base"] = local.base_of(name, of_engine, engine_args)
    except LexiqNovaError as refusal:
        raise litellm.exception_type(model=of_engine, original_exception=refusal, custom_llm_provider=name) from refusal
