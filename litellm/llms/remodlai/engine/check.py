"""
Whether a model can be served at all, as far as a look at this machine's disk tells: no process is started for one that
is not there. What vLLM makes of its configuration and options, the engine's own process finds out before it loads.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from litellm.llms.remodlai.engine.options import option_name

CONFIGURATIONS: Final = ("config.json", "params.json")
# Options that say that the configuration is somewhere else, or has another form.
ELSEWHERE: Final = frozenset({"hf-config-path", "config-format", "load-format"})
MODELSCOPE: Final = "VLLM_USE_MODELSCOPE"
# Those of the largest models have some 100 KiB.
CONFIGURATION_BYTES: Final = 16 * 2**20
SWITCHES: Final = (MODELSCOPE, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")

_PATH: Final = re.compile(r"[/~]|\.\.?(/|$)")
_HUB_ID: Final = re.compile(r"(?!.*\.\.|-)[\w.-]+(/[\w.-]+)?(:[\w.-]+)?")


def cannot_be_served(model: str, tokens: tuple[str, ...], environment: Mapping[str, str]) -> tuple[str, int] | None:
    """
    Says why a model cannot be served.

    Args:
        model: directory or model id, as vLLM gets it.
        tokens: options on vLLM's command line.
        environment: what the engine would have.

    Returns:
        The reason and the HTTP status that fits it; None where only vLLM can tell.
    """
    path: Final = Path(os.path.expanduser(model))
    if path.is_dir():
        has_own: Final = {option_name(token) for token in tokens}.isdisjoint(ELSEWHERE)
        reason: Final = _unreadable(path) if has_own else None
        return None if reason is None else (reason, 400)
    if path.exists() or "://" in model:
        return None
    if _PATH.match(model):
        return f"there is no model at {model}", 404
    if not _HUB_ID.fullmatch(model):
        return f"{model} is neither a directory nor a model id (`org/name`)", 404
    offline: Final = {
        name for name in SWITCHES if environment.get(name, "").strip().upper() in ("1", "ON", "YES", "TRUE")
    }
    if not offline or MODELSCOPE in offline:
        return None
    if any(folder_of(model, environment).glob("snapshots/*/*")):
        return None
    return f"{model} is not on this machine ({hub_cache(environment)}), and HF_HUB_OFFLINE keeps it from the hub", 404


def hub_cache(environment: Mapping[str, str]) -> Path:
    """Returns where the hub's models are kept, by the variables that huggingface_hub reads."""
    named: Final = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return Path(os.path.expanduser(named))
    caches: Final = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(environment.get("HF_HOME") or f"{caches}/huggingface"), "hub")


def folder_of(model: str, environment: Mapping[str, str]) -> Path:
    """Returns where the hub's cache has a model, or would have it."""
    return hub_cache(environment) / f"models--{model.partition(':')[0].replace('/', '--')}"


def _unreadable(directory: Path) -> str | None:
    found: Final = next((directory / name for name in CONFIGURATIONS if (directory / name).exists()), None)
    if found is None:
        if any(directory.glob("*.gguf")):
            return None
        return f"{directory} holds no model: it has neither {' nor '.join(CONFIGURATIONS)}"
    # Of a pipe or a device, reading need never end.
    if not found.is_file():
        return f"{found} is not a file"
    if found.stat().st_size > CONFIGURATION_BYTES:
        return f"{found} is too large for a configuration"
    try:
        is_object: Final = isinstance(json.loads(found.read_bytes()), dict)
    except (OSError, ValueError, RecursionError) as error:
        return f"{found} cannot be read: {error}"
    return None if is_object else f"{found} is not a JSON object"
