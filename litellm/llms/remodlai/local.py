"""
What a call without a server reaches: the engine of this machine.

Its modules are loaded with the first call that needs them.
"""

from typing import TYPE_CHECKING

import httpx

from .engine.errors import NoEngine

if TYPE_CHECKING:
    from .engine.waiting import Waiting


def base_of(provider: str, model: str, engine_args: object = None) -> str:
    """
    The base of a model's engine, which the first request to it starts.

    Args:
        provider: whose call it is, for the error.
        model: directory or model id, without a provider's prefix; empty where the endpoint names none.
        engine_args: options of the engine, beside those of `LEXIQ_NOVA_ENGINE_ARGS`.

    Raises:
        LexiqNovaError: vLLM is not installed, an option cannot be used, or the model may not be used here.
    """
    from .engine.address import local_server

    try:
        return local_server(model, engine_args).base
    except NoEngine:
        raise NoEngine(provider) from None


def running_base(model: str) -> str | None:
    """The base of a model's engine that is up; None where there is none."""
    from .engine import address

    return address.running_base(model)


def waiting_for(base: str, timeout: float | httpx.Timeout | None) -> "Waiting | None":
    """The wait for an engine that the stream of a call is to tell of; None where there is nothing to tell."""
    from .engine import waiting

    return waiting.waiting_for(base, timeout)


def models_of(provider: str) -> list[str]:
    """
    Lists the models that a call may name here.

    Args:
        provider: whose call it is, for the error.

    Raises:
        LexiqNovaError: nothing is running, and vLLM is not installed.
    """
    from .engine.models import local_models

    try:
        return local_models()
    except NoEngine:
        raise NoEngine(provider) from None


def deployment_of(model: str) -> str | None:
    """The public name of the proxy's deployment that runs a model here, as its engine knows it; None without one."""
    from .engine import permits

    return permits.deployment_of(model)
