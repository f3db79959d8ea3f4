"""
Which local server a `lexiq_nova` call reaches: the base of a call without a configured server is
`lexiq-nova://<engine>/v1`, and only the transport of this folder understands it.
"""

from dataclasses import dataclass
from typing import Final

import httpx

from litellm.constants import PLACEHOLDER_API_KEY
from litellm.llms.remodlai.engine import permits
from litellm.llms.remodlai.engine.engine import Engine, vllm_is_here
from litellm.llms.remodlai.engine.errors import NoEngine, failure
from litellm.llms.remodlai.engine.runtime import listens

SCHEME: Final = "lexiq-nova"
# The host of a call that names no model: the one engine that is running.
ANY: Final = "local"
# Ends the host of a call whose stream tells how far the start is: other calls of the engine have no part in it.
TELLING: Final = ".progress"

# What this process has called, by the name that stands in URLs.
_ENGINES: Final[dict[str, Engine]] = {}


@dataclass(frozen=True)
class Server:
    """
    Where a call goes.

    Args:
        base: base URL, with the path of the API's version.
        key: what upstream puts into the Authorization header; the engine asks for none.
    """

    base: str
    key: str


def local_server(model: str, engine_args: object = None) -> Server:
    """
    The local server of a model. Starts nothing: the first request to it does.

    Args:
        model: directory or model id, without the provider's prefix; empty where the endpoint names none.
        engine_args: vLLM options (`{"max_model_len": 2048}`), beside those of `LEXIQ_NOVA_ENGINE_ARGS`.

    Returns:
        A base that only the transport of this module understands.

    Raises:
        LexiqNovaError: vLLM is not installed, an option cannot be used, or the model may not be used here.
    """
    if not model:
        if not vllm_is_here():
            raise NoEngine
        return Server(f"{SCHEME}://{ANY}/v1", PLACEHOLDER_API_KEY)
    engine: Final = Engine.of(model, engine_args)
    permits.require(engine)
    host: Final = f"{engine.name}{TELLING}" if engine.wishes.tells_progress() else engine.name
    _ENGINES[host] = engine
    return Server(f"{SCHEME}://{host}/v1", PLACEHOLDER_API_KEY)


def running_base(model: str) -> str | None:
    """
    The base of a model's engine that is up; what is asked there starts nothing.

    Args:
        model: directory or model id.

    Returns:
        None where there is not exactly one, or this process may not call it.
    """
    wanted: Final = Engine.place_of(model)
    up: Final = [engine for engine in permits.running() if engine.model == wanted and listens(engine.socket)]
    if len(up) != 1:
        return None
    _ENGINES[up[0].name] = up[0]
    return f"{SCHEME}://{up[0].name}/v1"


def engine_of(url: httpx.URL) -> Engine:
    """
    The engine that a `lexiq-nova://` URL names; where it names none, the only one that is running.

    Raises:
        LexiqNovaError: there is none, or not exactly one.
    """
    if url.host in _ENGINES:
        return _ENGINES[url.host]
    if not vllm_is_here():
        raise NoEngine
    running: Final = [engine for engine in permits.running() if url.host in (ANY, engine.name)]
    if len(running) != 1:
        names: Final = ", ".join(engine.model for engine in running) or "none"
        raise failure(f"this call names no model, and not exactly one engine is running ({names})", 400)
    return running[0]
