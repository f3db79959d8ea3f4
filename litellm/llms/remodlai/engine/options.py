"""
Engine options: what callers write, as vLLM's command line has it. Whether an option exists is vLLM's to say.

An option has one form here, however it was spelt: an engine is known by its options.
"""

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, chain, groupby
from operator import itemgetter
from typing import Final, TypeAlias

from litellm.llms.remodlai.engine.errors import failure

# Where the engine listens and what it is called is decided here; every other option is vLLM's business.
OWN_OPTIONS: Final = frozenset(
    {
        *("model", "model-tag", "config", "uds", "host", "port", "root-path", "api-key"),
        *("ssl-keyfile", "ssl-certfile", "ssl-ca-certs", "ssl-cert-reqs"),
        *("api-server-count", "headless", "grpc"),
    }
)
# Options that make vLLM print a text and end.
ENDING: Final = frozenset({"help", "version"})
# vLLM's one-dash names of some of them.
OWN_SHORT_OPTIONS: Final = frozenset({"asc", "hl"})
# Options that spread an engine over several machines: its workers must then be reachable from the others.
SEVERAL_MACHINES: Final = frozenset(
    {
        *("nnodes", "node-rank", "master-addr"),
        *("data-parallel-address", "data-parallel-hybrid-lb", "data-parallel-external-lb"),
    }
)
# vLLM's short names of options, and their long ones.
LONG_NAMES: Final = {
    "-q": "--quantization",
    "-n": "--nnodes",
    "-r": "--node-rank",
    "-tp": "--tensor-parallel-size",
    "-pp": "--pipeline-parallel-size",
    "-dp": "--data-parallel-size",
    "-ep": "--enable-expert-parallel",
    "-sc": "--speculative-config",
    "-cc": "--compilation-config",
    "-ac": "--attention-config",
}
# Options that add up when they are given more than once; of any other, the last one counts.
REPEATED: Final = frozenset({"middleware"})

# Options whose values are one word with commas; of any other, each value is a word.
IN_ONE_WORD: Final = frozenset({"--device-ids"})

_OPTION: Final = re.compile(r"--?[A-Za-z]")


EngineOptions: TypeAlias = Mapping[str, object] | Sequence[str] | str | None


def base_model(options: object) -> tuple[str | None, EngineOptions]:
    """
    Takes the option `model` out of engine options: the model of an engine that a call knows by an adapter's name.

    Args:
        options: as a call or a deployment has them.

    Returns:
        The model, if one is given, and the other options.

    Raises:
        LexiqNovaError: these are no options.
    """
    given: Final = _read(options) if isinstance(options, str) else options
    if given is not None and not isinstance(given, Mapping | list | tuple):
        raise failure(
            f"engine_args={given!r} are no options: they are a dict ({{'max_model_len': 2048}}), a command line "
            "('--max-model-len 2048') or a list of its words",
            400,
        )
    if not isinstance(given, Mapping) or given.get("model") is None:
        return None, given
    return str(given["model"]), {name: value for name, value in given.items() if name != "model"}


def _read(text: str) -> object:
    try:
        return json.loads(text) if text.lstrip().startswith("{") else shlex.split(text)
    except ValueError as error:
        raise failure(f"engine options cannot be read: {error}", 400) from None


def option_tokens(options: EngineOptions) -> list[str]:
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
    base, others = base_model(options)
    if base is not None:
        raise failure("the engine option `model` names another model than the call", 400)
    tokens: Final = (
        list(chain.from_iterable(_option(name, value) for name, value in sorted(others.items())))
        if isinstance(others, Mapping)
        else list(map(str, others or ()))
    )
    for token in tokens:
        if _is_own(token):
            raise failure(f"the engine option `{token}` is set by the provider and cannot be given", 400)
        if token == "-h" or _begins_one_of(ENDING, token):
            raise failure(f"the engine option `{token}` cannot be given: vLLM prints a text and ends", 400)
    return tokens


def in_one_form(tokens: Sequence[str]) -> tuple[str, ...]:
    """
    Writes a command line as every other one is written that vLLM reads alike.

    Args:
        tokens: words of a command line; of an option that is given twice, the last one counts.

    Returns:
        Its words: long names with dashes, in alphabetical order, each value a word of its own.
    """
    by_name: Final[dict[str, tuple[str, ...]]] = {}
    for name, values in _options(tokens):
        key = name.removeprefix("--").removeprefix("no-")
        before = by_name.get(key, ()) if key in REPEATED else ()
        by_name[key] = (*before, *_words(name, values))
    return tuple(chain.from_iterable(words for _, words in sorted(by_name.items())))


def _options(tokens: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The options of a command line with their values; what stands before the first has no name."""
    positions: Final = accumulate(bool(_OPTION.match(token)) for token in tokens)
    for _, group in groupby(zip(positions, tokens, strict=True), itemgetter(0)):
        words = [token for _, token in group]
        if not _OPTION.match(words[0]):
            yield "", words
            continue
        name, is_joined, value = words[0].partition("=")
        name, dot, part = LONG_NAMES.get(name, name).partition(".")
        name = name.replace("_", "-") if name.startswith("--") else name
        yield f"{name}{dot}{part}", [*([value] if is_joined else []), *words[1:]]


def _words(name: str, values: Sequence[str]) -> list[str]:
    words: Final = [_as_one_json(value) for value in values]
    if len(words) == 1 and _OPTION.match(words[0]):
        return [f"{name}={words[0]}"]  # a word of its own would be another option
    return [*filter(None, [name]), *words]


def _as_one_json(value: str) -> str:
    if not value.startswith("{"):
        return value
    try:
        return json.dumps(json.loads(value), sort_keys=True)
    except ValueError:
        return value


def values_of(tokens: Sequence[str], name: str) -> list[str]:
    """Returns the values of an option of a command line; empty where it is not given."""
    return next((values for option, values in _options(tokens) if option == f"--{name}"), [])


def without(tokens: Sequence[str], names: Collection[str]) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """
    Takes options out of a command line.

    Args:
        tokens: its words, in one form.
        names: of the options, without dashes.

    Returns:
        The values of those that are given, by name, and the other words.

    Raises:
        LexiqNovaError: one has no value, is turned off (`--no-…`) or given in parts (`--env.NAME`).
    """
    taken: Final[dict[str, list[str]]] = {}
    rest: Final[list[str]] = []
    for name, values in _options(tokens):
        bare = name.removeprefix("--")
        if bare.removeprefix("no-").partition(".")[0] not in names:
            rest.extend(_words(name, values))
        elif bare in names and values:
            taken[bare] = values
        else:
            raise failure(f"the engine option {bare.replace('-', '_')} needs a value", 400)
    return taken, tuple(rest)


def without_switch(tokens: Sequence[str], name: str) -> tuple[bool | None, tuple[str, ...]]:
    """
    Takes an option out of a command line that is on or off.

    Args:
        tokens: its words, in one form.
        name: of the option, without dashes.

    Returns:
        Which of both it is, None where it is not given, and the other words.

    Raises:
        LexiqNovaError: it has a value.
    """
    is_on: bool | None = None  # rebind-ok: what is given last counts
    rest: Final[list[str]] = []
    for option, values in _options(tokens):
        bare = option.removeprefix("--")
        if bare.removeprefix("no-").partition(".")[0] != name:
            rest.extend(_words(option, values))
        elif values or "." in bare:
            own = name.replace("-", "_")
            raise failure(f"the engine option {own} is on or off: {{{own!r}: True}} or {{{own!r}: False}}", 400)
        else:
            is_on = bare == name
    return is_on, tuple(rest)


def _is_own(token: str) -> bool:
    # vLLM's parser completes what begins like an option (`--po` is `--port`), and takes `--a.b` for a part of `--a`.
    # None of the own options is the beginning of another one of vLLM's. A bare `--` would make words of what follows.
    if token.startswith("--"):
        return _begins_one_of(OWN_OPTIONS, token)
    begun: Final = token[1:].split("=", 1)[0]
    return token.startswith("-") and begun != "" and any(name.startswith(begun) for name in OWN_SHORT_OPTIONS)


def _begins_one_of(names: Collection[str], token: str) -> bool:
    name: Final = option_name(token)
    return name is not None and any(each.startswith(name.split(".", 1)[0]) for each in names)


def _option(name: str, value: object) -> list[str]:
    flag: Final = "--" + name.replace("_", "-")
    if value is None:
        return []
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [flag, ",".join(map(_text, value))] if flag in IN_ONE_WORD else [flag, *map(_text, value)]
    return [flag, _text(value)]


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


def option_name(token: str) -> str | None:
    if not token.startswith("--"):
        return None
    return token[2:].split("=", 1)[0].replace("_", "-")
