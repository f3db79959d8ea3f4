"""
A local engine seen from its callers: which one a call means, where it is, and who uses it.

An engine is vLLM's OpenAI server (`server.py`) behind a Unix socket in a directory that only this user can enter, one
per model and options on a machine.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import sys
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from litellm.llms.remodlai.engine.environment import decisive
from litellm.llms.remodlai.engine.errors import NoEngine, failure
from litellm.llms.remodlai.engine.options import base_model, in_one_form, option_tokens, values_of
from litellm.llms.remodlai.engine.runtime import (
    DIGEST_BYTES,
    HAS_LOCKS,
    POLL_SECONDS,
    SLUG_BYTES,
    Pauses,
    ask,
    disk_errors,
    listens,
    runtime_directory,
    shared,
)
from litellm.llms.remodlai.engine.settings import interpreter
from litellm.llms.remodlai.engine.wishes import Wishes, wishes_in

_LEASES: Final[dict[Path, int]] = {}


@cache
def is_installed(python: str) -> bool:
    """Whether vLLM can be imported there; of another interpreter only its own start can tell."""
    return HAS_LOCKS and (python != sys.executable or importlib.util.find_spec("vllm") is not None)


def vllm_is_here() -> bool:
    """Whether an engine can be started at all."""
    return is_installed(interpreter())


def folders() -> list[Path]:
    """Returns the directories of this user's engines."""
    return sorted(path.parent for path in runtime_directory().glob("*/starting"))


def engines() -> list["Engine"]:
    """Returns this user's engines, running or not."""
    return [engine for folder in folders() if (engine := Engine.in_folder(folder))]


def running_engines() -> list["Engine"]:
    """Returns this user's engines that are there, loading ones included."""
    return [engine for engine in engines() if listens(engine.folder / "control")]


def model_in(folder: Path) -> str:
    """Returns the model of an engine's directory, for words about it."""
    engine: Final = Engine.in_folder(folder)
    return folder.name if engine is None else engine.model


def end_of(folder: Path) -> str | None:
    """Returns why the engine of a directory has ended, in its own words; None where it had no time to say it."""
    try:
        return json.loads((folder / "ended.json").read_bytes()).get("why")
    except (FileNotFoundError, ValueError):
        return None


@dataclass(frozen=True)
class Engine:
    """
    One model with one set of options, served from this machine.

    Args:
        model: directory or model id, as vLLM gets it.
        tokens: options on vLLM's command line, in one form.
        python: interpreter that has vLLM.
        environment: variables that make another engine of the same model: those that vLLM reads, and all that the
            options give.
        wishes: of the call; the engine is the same whatever they are.
    """

    model: str
    tokens: tuple[str, ...]
    python: str
    environment: tuple[tuple[str, str], ...] = ()
    wishes: Wishes = field(default=Wishes(), compare=False)

    @classmethod
    def of(cls, model: str, options: object = None) -> "Engine":
        """
        The engine that a call means, with the options, the interpreter and the devices of the environment.

        Args:
            model: directory or model id; where the options name a `model`, one of the names that it has there.
            options: engine options of the call; they win over `LEXIQ_NOVA_ENGINE_ARGS`.

        Raises:
            LexiqNovaError: the options cannot be used, the engine has no such name, or vLLM is not installed.
        """
        base, own = base_model(options)
        tokens: Final = (*option_tokens(os.environ.get("LEXIQ_NOVA_ENGINE_ARGS")), *option_tokens(own))
        if not vllm_is_here():
            raise NoEngine
        wishes, variables, vllms = wishes_in(in_one_form(tokens))
        environment: Final = tuple(sorted({**decisive(os.environ), **variables}.items()))
        engine: Final = cls(cls.place_of(base or model), vllms, interpreter(), environment, wishes)
        if base is not None:
            engine.require_name(model)
        return engine

    @cached_property
    def adapters(self) -> tuple[str, ...]:
        """Names of the LoRA adapters that its options give it; vLLM answers with an adapter if a call names it."""
        named: Final = values_of(self.tokens, "lora-modules")
        return tuple(str(json.loads(each)["name"]) if each[0] == "{" else each.partition("=")[0] for each in named)

    def require_name(self, name: str) -> None:
        """
        Passes for the names by which this engine answers: its model's, those served by it, those of its adapters.

        Raises:
            LexiqNovaError: 404, there is no such name.
        """
        served: Final = (*values_of(self.tokens, "served-model-name"), *self.adapters)
        if name not in served and self.place_of(name) != self.model:
            known: Final = ", ".join((self.model, *served))
            raise failure(f"the engine of {self.model} has no model or adapter {name}; it has {known}", 404)

    @staticmethod
    def place_of(model: str) -> str:
        """Returns a model that is on this machine by its one path, however it is spelt; any other as it is."""
        path: Final = os.path.expanduser(model)
        return os.path.realpath(path) if os.path.exists(path) else model

    @classmethod
    def in_folder(cls, folder: Path) -> "Engine | None":
        """Returns the engine that was last started in a directory, if any was."""
        for name in ("engine.json", "ended.json"):
            with contextlib.suppress(FileNotFoundError, ValueError, KeyError):  # an older release's has less
                description = json.loads((folder / name).read_bytes())
                environment = tuple(description["environment"].items())
                return cls(description["model"], tuple(description["tokens"]), description["python"], environment)
        return None

    @cached_property
    def name(self) -> str:
        """Name of the engine and of its directory; also a host name."""
        known_by: Final = [self.model, self.tokens, self.python, self.environment]
        digest: Final = hashlib.sha256(json.dumps(known_by).encode()).hexdigest()
        slug: Final = re.sub("[^a-z0-9]+", "-", os.path.basename(self.model).lower()).strip("-")[:SLUG_BYTES].strip("-")
        return f"{slug or 'model'}-{digest[:DIGEST_BYTES]}"

    @cached_property
    def folder(self) -> Path:
        return runtime_directory() / self.name

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def use(self) -> None:
        """Marks this process, until it ends, as a user of the engine."""
        if self.folder in _LEASES:
            return
        # Without a directory there is no engine yet: `ensure` comes here again.
        with disk_errors(self.folder), contextlib.suppress(FileNotFoundError):
            lease: Final = shared(self.folder / "users")
            if lease is not None:
                with lease:
                    _LEASES[self.folder] = os.dup(lease.fileno())  # held until the process ends

    def disuse(self) -> None:
        """Ends what `use` began, until its next call: an engine that does not start has no users."""
        lease: Final = _LEASES.pop(self.folder, None)
        if lease is not None:
            os.close(lease)

    def settle(self) -> Pauses:
        """Waits out the moment in which an engine that was killed still seems to listen."""
        while (yield from ask(self.folder, "status")) == {}:
            yield POLL_SECONDS
