"""
Engine options: what callers write, as vLLM's command line has it. Whether an option exists is vLLM's to say.
"""

import json
import shlex
from collections.abc import Mapping, Sequence

from litellm.llms.remodlai.common_utils import LexiqNovaError

# Where the engine listens and what it is called is decided here; every other option is vLLM's business.
OWN_OPTIONS = frozenset(
    {
        *("model", "model-tag", "config", "uds", "host", "port", "root-path", "api-key"),
        *("ssl-keyfile", "ssl-certfile", "ssl-ca-certs", "ssl-cert-reqs"),
        *("api-server-count", "headless", "grpc"),
    }
)
# vLLM's one-dash names of some of them.
OWN_SHORT_OPTIONS = frozenset({"asc", "hl"})
# Options that spread an engine over several machines: its workers must then be reachable from the others.
SEVERAL_MACHINES = frozenset(
    {
        *("nnodes", "node-rank", "master-addr"),
        *("data-parallel-address", "data-parallel-hybrid-lb", "data-parallel-external-lb"),
    }
)


def failure(message: str, status_code: int = 503) -> LexiqNovaError:
    return LexiqNovaError(status_code=status_code, message=f"lexiq_nova: {message}")


def option_tokens(options: Mapping[str, object] | Sequence[str] | str | None) -> list[str]:
    """
    Writes engine options as vLLM's command line has them.

    Args:
        options: by name (`{"max_model_len": 2048, "enforce_eager": True}`), as a command line (`"--max-model-len
            2048"`), or as JSON text of the former. False turns an option off (`--no-…`), None leaves vLLM's default.

    Returns:
        Words for the command line.

    Raises:
        LexiqNovaError: an option is the provider's own, or the text cannot be read.
    """
    try:
        if isinstance(options, str):
            options = json.loads(options) if options.lstrip().startswith("{") else shlex.split(options)
    except ValueError as error:
        raise failure(f"engine options cannot be read: {error}", 400) from None
    if isinstance(options, Mapping):
        tokens = [token for name, value in sorted(options.items()) for token in _option(name, value)]
    else:
        tokens = [str(token) for token in options or ()]
    for token in tokens:
        if _is_own(token):
            raise failure(f"the engine option `{token}` is set by the provider and cannot be given", 400)
    return tokens


def _is_own(token: str) -> bool:
    # vLLM's parser completes what begins like an option (`--po` is `--port`), and takes `--a.b` for a part of `--a`.
    # None of the own options is the beginning of another one of vLLM's. A bare `--` would make words of what follows.
    if token.startswith("--"):
        begun = (option_name(token) or "").split(".", 1)[0]
        return any(name.startswith(begun) for name in OWN_OPTIONS)
    begun = token[1:].split("=", 1)[0]
    return token.startswith("-") and begun != "" and any(name.startswith(begun) for name in OWN_SHORT_OPTIONS)


def _option(name: str, value: object) -> list[str]:
    flag = "--" + name.replace("_", "-")
    if value is None:
        return []
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [flag, *map(_text, value)]
    return [flag, _text(value)]


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


def option_name(token: str) -> str | None:
    if not token.startswith("--"):
        return None
    return token[2:].split("=", 1)[0].replace("_", "-")
