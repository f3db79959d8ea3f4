"""
Which engines this process may start or call.

A program that uses LiteLLM names its engines itself. In a process that serves LiteLLM's proxy the callers are the
proxy's clients, and only its deployments name engines. `LEXIQ_NOVA_MODELS` narrows either.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from litellm.llms.remodlai.engine.engine import Engine, running_engines
from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.engine.progress import LOGGER
from litellm.llms.remodlai.engine.wishes import Wishes
from litellm.llms.remodlai.errors import LexiqNovaError
from litellm.llms.remodlai.places import BASES, LOCAL_ENGINE, base_of_deployment, has_server

_PROXY: Final = "litellm.proxy.proxy_server"
_serving: Final[list[str]] = []


def only_deployments() -> None:
    """From now on, this process serves the proxy: engines are those of its deployments."""
    _serving[:] = [_PROXY]
    if LOGGER.level == logging.NOTSET:
        LOGGER.setLevel(logging.INFO)  # starts, swaps and ends belong into a proxy's log, in whatever form it has


def require(engine: Engine) -> None:
    """
    Passes where an engine may be started or called here.

    Args:
        engine: model and options that a call asks for.

    Raises:
        LexiqNovaError: 404, the model is not on the operator's list, or is no deployment of the proxy.
    """
    if not _on_list(engine.model):
        raise failure(f"{engine.model} is not one of the models that LEXIQ_NOVA_MODELS allows here", 404)
    deployments: Final = _deployments()
    if deployments is not None and not any(_names(params, engine) for params in deployments):
        raise failure(f"no deployment of this proxy runs {engine.model} on this machine with these options", 404)


def allows(engine: Engine) -> bool:
    """Whether `require` passes."""
    with contextlib.suppress(LexiqNovaError):
        require(engine)
        return True
    return False


def running() -> list[Engine]:
    """Returns the engines of this user that are up, loading ones included, and may be called here."""
    return [engine for engine in running_engines() if allows(engine)]


def allows_model(model: str) -> bool:
    """Whether some engine of a model may be started here."""
    if not _on_list(model):
        return False
    deployments: Final = _deployments()
    own: Final = (_own_model(params) for params in deployments or ())
    return deployments is None or any(name is not None and _matches(model, name) for name in own)


def deployment_of(model: str) -> str | None:
    """
    Finds the deployment that runs a model on this machine.

    Args:
        model: directory or model id, as the engine knows it.

    Returns:
        The public name of a deployment that names it, none with a wildcard; None where there is none.
    """
    for params in _deployments() or ():
        own = _own_model(params)
        if own is not None and "*" not in own and Engine.place_of(own) == Engine.place_of(model):
            return str(params["model_name"])
    return None


def _on_list(model: str) -> bool:
    patterns: Final = [
        pattern.strip() for pattern in os.environ.get("LEXIQ_NOVA_MODELS", "").split(",") if pattern.strip()
    ]
    return not patterns or any(_matches(model, pattern) for pattern in patterns)


def _matches(model: str, pattern: str) -> bool:
    # A path that leaves the pattern's directory again is not in it.
    return ".." not in model.split("/") and fnmatchcase(model, Engine.place_of(pattern))


def _deployments() -> Iterable[Mapping[str, object]] | None:
    """Parameters of the proxy's deployments, with their public names; None where this process serves no proxy."""
    proxy: Final = sys.modules.get(_PROXY)
    router: Final = getattr(proxy, "llm_router", None)
    if router is None and not _serving:
        return None
    return _named_by(proxy)


def _named_by(proxy: object) -> Iterator[Mapping[str, object]]:
    # `litellm --model` and `completion_model` are deployments of one model.
    settings: Final = getattr(proxy, "general_settings", None) or {}
    for model in (getattr(proxy, "user_model", None), settings.get("completion_model")):
        if model:
            yield {"model": model, "model_name": model}
    router: Final = getattr(proxy, "llm_router", None)
    for deployment in router.model_list if router is not None else ():
        yield {**dict(deployment["litellm_params"]), "model_name": deployment["model_name"]}


def _own_model(params: Mapping[str, object]) -> str | None:
    """The model that a deployment runs on this machine; None where it is another provider's or has a server."""
    model: Final = str(params.get("model"))
    provider: Final = str(params.get("custom_llm_provider") or model.split("/", 1)[0])
    if provider not in BASES:
        return None
    base: Final = base_of_deployment(params)
    if base and base != LOCAL_ENGINE or has_server(provider):
        return None
    return model.removeprefix(f"{provider}/")


def _names(params: Mapping[str, object], engine: Engine) -> bool:
    own, options = _own_model(params), params.get("engine_args")
    with contextlib.suppress(LexiqNovaError):
        if own is not None and "*" not in own:
            return _is_meant_by(Engine.of(own, options), engine)
        if own is not None and _matches(engine.model, own):
            return _is_meant_by(Engine.of(engine.model, options), engine)
    return False


def _is_meant_by(named: Engine, engine: Engine) -> bool:
    # A running engine, or a call that wishes nothing, is the deployment's; how long it stays is not a client's to say.
    return named == engine and engine.wishes in (named.wishes, Wishes())
