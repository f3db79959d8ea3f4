"""
Health checks of deployments that run on this machine: a look at the engine, which never starts one.

A proxy checks each of its deployments, every few minutes. Calls would load one model after the other, put out the one
that people use, and keep it from ever being idle.
"""

from collections.abc import Mapping
from typing import Final

import litellm
from litellm.litellm_core_utils.own_providers import own_provider_of

COLD: Final = "not running; the first call starts it"


async def health_of_local_engine(params: Mapping[str, object]) -> dict[str, object] | None:
    """
    Looks how the engine of a deployment is.

    Args:
        params: the deployment's `litellm_params`: model, api_base, custom_llm_provider, engine_args.

    Returns:
        `local_engine`, a few words; with `error` and `exception`, as upstream has them, where no call could succeed.
        None where the deployment is no local engine's.
    """
    name: Final = own_provider_of((), params)
    if name is None:
        return None
    # The provider's classes import LiteLLM, which is not complete when it imports this.
    from litellm.llms.remodlai.common_utils import own_server
    from litellm.llms.remodlai.errors import LexiqNovaError
    from litellm.llms.remodlai.places import LOCAL_ENGINE, base_of_deployment

    base: Final = base_of_deployment(params)
    if own_server(name, str(base) if base else None, None)[0] != LOCAL_ENGINE:
        return None
    model: Final = str(params.get("model")).removeprefix(f"{name}/")
    try:
        return {"local_engine": await _look_at(model, params.get("engine_args"))}
    except LexiqNovaError as refusal:
        try:
            raise litellm.exception_type(model=model, original_exception=refusal, custom_llm_provider=name) from refusal
        except Exception as error:  # noqa: BLE001  # whatever the refusal is mapped to is the answer
            return {"error": str(error), "exception": error}


async def _look_at(model: str, options: object) -> str:
    from litellm.llms.remodlai.engine.engine import Engine, vllm_is_here
    from litellm.llms.remodlai.engine.errors import NoEngine, failure
    from litellm.llms.remodlai.engine.permits import require
    from litellm.llms.remodlai.engine.runtime import ask, awaited
    from litellm.llms.remodlai.engine.start import Start
    from litellm.llms.remodlai.engine.states import State, state_in
    from litellm.llms.remodlai.engine.transport import TRANSPORT

    if "*" in model:
        if not vllm_is_here():
            raise NoEngine
        return COLD
    engine: Final = Engine.of(model, options)
    require(engine)
    status: Final = await awaited(ask(engine.folder, "status"))
    if status is None:
        Start(engine).raise_if_it_cannot_start()
        return COLD
    if not status:
        return "busy"
    state: Final = state_in(status)
    if state is not State.READY:
        return state.value
    if not await TRANSPORT.is_healthy(engine):
        raise failure(f"the engine for {model} does not say that it is well; see {engine.log}", 503)
    return state.value
