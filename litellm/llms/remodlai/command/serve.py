"""
`serve`: an OpenAI endpoint for some models of this machine. It is LiteLLM's own proxy with these as its deployments,
so what holds for a proxy's engines holds here: no client can name another model, or options.
"""

import contextlib
import ipaddress
import json
import os
import secrets
import socket
import sys
from collections.abc import Generator, Sequence
from typing import Any, Final

from litellm.llms.remodlai.command.naming import model_named
from litellm.llms.remodlai.command.screen import say
from litellm.llms.remodlai.engine import permits
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.engine.progress import printable
from litellm.llms.remodlai.engine.runtime import disk_errors, runtime_directory, write
from litellm.llms.remodlai.engine.start import Start
from litellm.llms.remodlai.keys import MIN_LENGTH, is_sendable
from litellm.llms.remodlai.places import has_server

KEY: Final = "LEXIQ_NOVA_SERVE_KEY"
KEY_BYTES: Final = 32
# What would make this proxy another one: a database, another configuration, models from elsewhere.
OTHER_PROXY: Final = (
    *("DATABASE_URL", "DIRECT_URL", "DATABASE_URL_READ_REPLICA", "STORE_MODEL_IN_DB"),
    *("DATABASE_HOST", "DATABASE_USERNAME", "DATABASE_PASSWORD", "DATABASE_NAME"),
    *("CONFIG_FILE_PATH", "WORKER_CONFIG", "LITELLM_CONFIG_BUCKET_NAME", "LITELLM_MASTER_KEY"),
)


def serve(models: Sequence[str], engine_args: str | None, host: str, port: int) -> int:
    """
    Serves models until it is ended.

    Args:
        models: directories or model ids; the only ones that it starts engines for.
        engine_args: vLLM options for all of them.
        host: address to listen on.
        port: to listen on; 0 for any free one.

    Raises:
        LexiqNovaError: a model cannot be served, the address is not free, or it would be open to others without a key.
    """
    deployments: Final = _deployments(models, engine_args)
    given: Final = os.environ.pop(KEY, "").strip()
    listening: Final = _listen(host, port, given)
    for name in OTHER_PROXY:
        os.environ.pop(name, None)
    key: Final = given or f"sk-{secrets.token_urlsafe(KEY_BYTES)}"
    os.environ["LITELLM_MASTER_KEY"] = key
    try:
        import uvicorn

        from litellm.proxy.proxy_server import app
    except ImportError as error:
        listening.close()
        raise failure(f'serve needs LiteLLM\'s extra `proxy` (`pip install ".[proxy]"`): {error}', 400) from error
    with listening, _configured(deployments, listening):
        _say_where(listening, None if given else key, [each["model_name"] for each in deployments])
        server: Final = uvicorn.Server(uvicorn.Config(app, server_header=False, log_level="warning"))
        # Ctrl-C is how it is ended. What else the proxy prints is not for who reads the key from stdout.
        with contextlib.suppress(KeyboardInterrupt), contextlib.redirect_stdout(sys.stderr):
            server.run(sockets=[listening])
    return int(not server.started)


def _deployments(models: Sequence[str], engine_args: str | None) -> list[dict[str, Any]]:
    found: Final[dict[str, dict[str, Any]]] = {}
    options: Final = {"engine_args": engine_args} if engine_args else {}
    for text in models:
        model = model_named(text)
        if "*" in model:
            raise failure(f"{model} is no model: `serve` takes no wildcard", 400)
        if not has_server("lexiq_nova"):
            engine = Engine.of(model, engine_args)
            permits.require(engine)
            Start(engine).raise_if_it_cannot_start()
        name = os.path.basename(model) if os.path.exists(model) else model
        if name in found:
            raise failure(f"two models would be called {name}: serve one of them, or rename its directory", 400)
        found[name] = {"model_name": name, "litellm_params": {"model": f"lexiq_nova/{model}", **options}}
    return list(found.values())


@contextlib.contextmanager
def _configured(deployments: list[dict[str, Any]], listening: socket.socket) -> Generator[None, None, None]:
    """Gives the proxy its configuration, in a file of its address: the next one there overwrites a killed one's."""
    folder: Final = runtime_directory() / "serve"
    path: Final = folder / f"{'-'.join(map(str, listening.getsockname()[:2]))}.yaml"
    # Clients connect directly: the proxy need not be told which proxies stand before it.
    settings: Final[dict[str, Any]] = {"trusted_proxy_ranges": []}
    with disk_errors(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        # JSON is YAML. The key is not in it, but in this process's environment.
        write(path, json.dumps({"model_list": deployments, "general_settings": settings}).encode())
    os.environ["CONFIG_FILE_PATH"] = str(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _require_key(given: str, host: str) -> None:
    if given and (len(given) < MIN_LENGTH or not is_sendable(given)):
        raise failure(f"{KEY} must have {MIN_LENGTH} characters or more, and none that a header cannot carry", 400)
    if not given and not ipaddress.ip_address(host).is_loopback:
        raise failure(f"{host} can be reached by other machines: give a key of your own by {KEY}", 400)


def _listen(host: str, port: int, given_key: str) -> socket.socket:
    """Takes the address before anything is loaded, so that a second server of it is told at once."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        _require_key(given_key, str(address[0]))
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        # `create_server` puts the address into its words once more.
        why: Final = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise failure(f"{host}:{port} cannot be listened on: {why}; take another --port or --host", 400) from None


def _say_where(listening: socket.socket, key: str | None, names: Sequence[str]) -> None:
    host, port = listening.getsockname()[:2]
    say(f"OPENAI_BASE_URL=http://{f'[{host}]' if ':' in host else host}:{port}/v1")
    say(f"OPENAI_API_KEY={key}" if key else f"the key is that of {KEY}")
    say(f"models: {printable(', '.join(names))}")
    sys.stdout.flush()
