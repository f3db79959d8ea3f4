"""
The twin rule for JSON: an object keyed by an upstream vLLM provider, or describing it, gets the twins' objects beside it.

Upstream's JSON files are what `json.dumps` writes, so they are parsed and written again; a file that would not come
back as it was is refused.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from fork.names import HOSTED, MENTION, PROVIDER, TWINS, Twin

RULES = {
    "key": "an object keyed by the provider gets the twin's",
    "object": "an object that describes the provider gets the twin's",
}


def _renamed(value: Any, twin: Twin) -> Any:
    if isinstance(value, str):
        return twin.rename(value)
    if isinstance(value, list):
        return [_renamed(item, twin) for item in value]
    if isinstance(value, dict):
        return {twin.rename(key): _renamed(item, twin) for key, item in value.items()}
    return value


def _named(item: Any) -> bool:
    # Prose about vLLM does not make an object the provider's; a value that is the provider's name does.
    values = item.values() if isinstance(item, dict) else ()
    return any(isinstance(value, str) and PROVIDER.fullmatch(HOSTED.sub("vllm", value)) for value in values)


class _Wiring:
    """Walks one document. `sites` collects what the rules twinned; everything else is walked further."""

    def __init__(self, rules: Iterable[str]) -> None:
        self.rules = frozenset(rules)
        self.sites: list[Any] = []

    def wired(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self._object(value)
        return self._list(value) if isinstance(value, list) else value

    def _object(self, value: dict[str, Any]) -> dict[str, Any]:
        hosted = any(HOSTED.search(key) for key in value)
        result: dict[str, Any] = {}
        for key, item in value.items():
            if not PROVIDER.search(key) or "key" not in self.rules:
                result[key] = self.wired(item)
                continue
            self.sites.append({key: item})
            result[key] = item
            if HOSTED.search(key) or not hosted:
                result.update({twin.rename(key): _renamed(item, twin) for twin in TWINS})
        return dict(sorted(result.items())) if list(value) == sorted(value) else result

    def _list(self, value: list[Any]) -> list[Any]:
        hosted = any(_named(item) and HOSTED.search(str(item)) for item in value)
        result: list[Any] = []
        for item in value:
            if not _named(item) or "object" not in self.rules:
                result.append(self.wired(item))
                continue
            self.sites.append(item)
            result.append(item)
            if HOSTED.search(str(item)) or not hosted:
                result.extend(_renamed(item, twin) for twin in TWINS)
        return result


def wire(source: str, rules: Iterable[str] = tuple(RULES)) -> tuple[str, dict[int, str]]:
    """
    Applies the rules to one JSON file.

    Args:
        source: the file's text.
        rules: names of the rules to apply, of RULES.

    Returns:
        The wired text, and the rule that explains each mention, by line number (from 1).

    Raises:
        ValueError: the file would not be written back as it was.
    """
    before = json.loads(source)
    ascii_only = source.isascii()
    if json.dumps(before, indent=2, ensure_ascii=ascii_only) + "\n" != source:
        raise ValueError("this JSON is formatted in a way that would be lost")
    wiring = _Wiring(rules)
    after = wiring.wired(before)
    if not wiring.sites:
        return source, {}
    twinned = Counter(line.strip(" ,") for site in wiring.sites for line in json.dumps(site, indent=2).splitlines())
    explained: dict[int, str] = {}
    for number, line in enumerate(source.split("\n"), 1):
        if MENTION.search(line) and twinned[line.strip(" ,")]:
            twinned[line.strip(" ,")] -= 1
            explained[number] = "key" if line.endswith("{") else "object"
    return json.dumps(after, indent=2, ensure_ascii=ascii_only) + "\n", explained
