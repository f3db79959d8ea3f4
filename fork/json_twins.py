"""
The twin rule for JSON: beside an object keyed by an upstream vLLM provider, or describing it, stand the twins' objects.

A site is found again in the file by its own text, written as `json.dumps` writes it, so that the rest of the file stays
as it is.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fork.names import HOSTED, MENTION, PROVIDER, TWINS, Twin

RULES = {
    "key": "an object keyed by the provider gets the twin's",
    "object": "an object that describes the provider gets the twin's",
}
COVERED = "covered: hosted_vllm's object carries both twins"


@dataclass(frozen=True)
class _Site:
    """One member of an object or a list that is the provider's: `holder` is `{key: value}` or `[value]`."""

    rule: str
    holder: Any
    depth: int
    twinned: bool

    def block(self, holder: Any, ensure_ascii: bool) -> str:
        lines = json.dumps(holder, indent=2, ensure_ascii=ensure_ascii).split("\n")[1:-1]
        return "\n".join("  " * self.depth + line for line in lines)


def _renamed(value: Any, twin: Twin) -> Any:
    if isinstance(value, str):
        return twin.rename(value)
    if isinstance(value, list):
        return [_renamed(item, twin) for item in value]
    if isinstance(value, dict):
        return {twin.rename(key): _renamed(item, twin) for key, item in value.items()}
    return value


def _is_named(item: Any) -> bool:
    # Prose about vLLM does not make an object the provider's; a value that is the provider's name does.
    values = item.values() if isinstance(item, dict) else ()
    return any(isinstance(value, str) and PROVIDER.fullmatch(HOSTED.sub("vllm", value)) for value in values)


def _sites(value: Any, rules: frozenset[str], depth: int = 0) -> Iterator[_Site]:
    if isinstance(value, dict):
        hosted = any(HOSTED.search(key) for key in value)
        for key, item in value.items():
            if PROVIDER.search(key) and "key" in rules:
                yield _Site("key", {key: item}, depth, twinned=bool(HOSTED.search(key)) or not hosted)
            else:
                yield from _sites(item, rules, depth + 1)
    elif isinstance(value, list):
        hosted = any(_is_named(item) and HOSTED.search(str(item)) for item in value)
        for item in value:
            if _is_named(item) and "object" in rules:
                yield _Site("object", [item], depth, twinned=bool(HOSTED.search(str(item))) or not hosted)
            else:
                yield from _sites(item, rules, depth + 1)


def _valued(holder: Any, values: Mapping[str, object]) -> Any:
    """Sets values of a twin that are its own, by dotted path; what a path leads through must be there."""
    for path, value in values.items():
        *parents, last = path.split(".")
        place = holder if isinstance(holder, dict) else holder[0]
        try:
            for step in parents:
                place = place[int(step) if isinstance(place, list) else step]
            place[last] = value
        except (LookupError, TypeError) as error:
            raise ValueError(f"a twin has no place for its own value of {path}") from error
    return holder


def with_twins(
    source: str,
    rules: Iterable[str] = tuple(RULES),
    values: Mapping[str, Mapping[str, object]] | None = None,
    twins: Sequence[Twin] = TWINS,
) -> tuple[str, dict[int, str]]:
    """
    Applies the rules to one JSON file.

    Args:
        source: the file's text.
        rules: names of the rules to apply, of RULES.
        values: what a twin says otherwise than upstream's object, by provider and dotted path.
        twins: the twins to add.

    Returns:
        The wired text, and the rule that explains each mention, by line number (from 1).

    Raises:
        ValueError: the text is not JSON, a site in it is not formatted as `json.dumps` with two spaces does it, or a
            value has no place.
    """
    text, explained, ensure_ascii = source, dict[int, str](), source.isascii()
    for site in _sites(json.loads(source), frozenset(rules)):
        block = site.block(site.holder, ensure_ascii)
        if source.count(block) != 1:
            raise ValueError(f"cannot find this {site.rule} in the file: {block[:80]}")
        first = source[: source.index(block)].count("\n") + 1
        for number, line in enumerate(block.split("\n"), first):
            if MENTION.search(line):
                explained[number] = site.rule if site.twinned else COVERED
        if site.twinned:
            own = values or {}
            holders = [_valued(_renamed(site.holder, twin), own.get(twin.provider, {})) for twin in twins]
            text = text.replace(block, ",\n".join([block, *(site.block(holder, ensure_ascii) for holder in holders)]))
    return text, explained
