"""
Applies the twin rule and the explicit edits to an upstream release, and audits that every mention is explained.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from fork import edits, json_twins
from fork.edit import Edit
from fork.lock import ForkError
from fork.names import MENTION, PROVIDER
from fork.upstream import cache_dir

# Upstream's own implementation of the providers: their classes are subclassed, not twinned.
OWN_DIRECTORIES = ("litellm/llms/hosted_vllm/", "litellm/llms/vllm/")
PROSE = "prose: vLLM, the server software"


@dataclass(frozen=True)
class Mention:
    """One upstream line that names vLLM; `reason` is the rule, edit or exemption that explains it, or None."""

    path: str
    line: int
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason or 'UNEXPLAINED'}: {self.text[:120]}"


@dataclass(frozen=True)
class Wired:
    """What wiring makes of a release: the text of each changed file by path, and every mention."""

    files: dict[str, str] = field(default_factory=dict)
    mentions: list[Mention] = field(default_factory=list)

    def unexplained(self) -> list[Mention]:
        return [mention for mention in self.mentions if mention.reason is None]

    def check(self) -> None:
        """Raises ForkError where a mention is not explained."""
        if unexplained := self.unexplained():
            raise ForkError(
                f"{len(unexplained)} upstream mentions of vLLM are not explained; add a rule, an edit or an exemption "
                "in fork/:\n" + "\n".join(map(str, unexplained))
            )


def all_rules() -> list[str]:
    """Names of all rules that `wire` applies."""
    # Imported late: building from the cache needs no LibCST.
    from fork import twins

    return [*twins.RULES, *json_twins.RULES]


def wire(release: ZipFile | Path, rules: Iterable[str] | None = None) -> Wired:
    """
    Wires a release.

    Args:
        release: upstream's wheel, opened, or a directory that holds a `litellm` folder.
        rules: names of the rules to apply; by default all.

    Returns:
        The changed files and all mentions. Nothing is written.

    Raises:
        ForkError: an edit does not apply, or a changed file does not compile.
    """
    rules = frozenset(all_rules() if rules is None else rules)
    wired = Wired()
    edited = edits.by_path(partial(_has, release))
    for path, data in _texts(release):
        if not MENTION.search(data) and path not in edited:
            continue
        text, explained = _wire_file(path, data, rules, edited.pop(path, []))
        if text != data:
            wired.files[path] = text
        for number, line in enumerate(data.split("\n"), 1):
            if MENTION.search(line):
                reason = explained.get(number) or edits.exempt(path, line) or (None if PROVIDER.search(line) else PROSE)
                wired.mentions.append(Mention(path, number, line.strip(), reason))
    if edited:
        raise ForkError(f"edited files that this release does not have: {', '.join(sorted(edited))}")
    return wired


def _has(release: ZipFile | Path, path: str) -> bool:
    return path in release.namelist() if isinstance(release, ZipFile) else (release / path).is_file()


def _texts(release: ZipFile | Path) -> Iterator[tuple[str, str]]:
    files: Iterable[tuple[str, Callable[[], bytes]]]
    if isinstance(release, ZipFile):
        files = ((name, partial(release.read, name)) for name in release.namelist())
    else:
        paths = sorted(path for path in (release / "litellm").rglob("*") if path.is_file())
        files = ((path.relative_to(release).as_posix(), path.read_bytes) for path in paths)
    for name, read in files:
        if name.startswith("litellm/") and not name.startswith(OWN_DIRECTORIES):
            try:
                yield name, read().decode()
            except UnicodeDecodeError:
                continue  # an image or a compiled module


def _wire_file(path: str, source: str, rules: frozenset[str], own: list[Edit]) -> tuple[str, dict[int, str]]:
    text, explained = source, dict[int, str]()
    try:
        if PROVIDER.search(source) and path.endswith(".json"):
            text, explained = json_twins.wire(source, rules, edits.JSON_VALUES.get(path))
        elif PROVIDER.search(source) and path.endswith(".py"):
            from fork import twins

            text, explained = twins.wire(source, partial(edits.exempt, path), rules)
        for edit in own:
            text = edit.applied(text)
        if text != source and path.endswith(".py"):
            compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise ForkError(f"{path}: {error}") from error
    return text, explained


def cached_wiring(wheel: Path, digest: str) -> Wired:
    """
    As `wire`, kept in the cache for the next build with the same wheel and the same rules.

    Args:
        wheel: a checked upstream wheel.
        digest: its sha256.
    """
    cache = wiring_cache(digest)
    if cache.is_file():
        return _loaded(json.loads(cache.read_text()))
    with ZipFile(wheel) as release:
        wired = wire(release)
    cache.parent.mkdir(parents=True, exist_ok=True)
    scratch = cache.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(asdict(wired)))
    os.replace(scratch, cache)
    return wired


def wiring_cache(digest: str) -> Path:
    """The cache's file for a wheel's sha256 and the rules as they are now."""
    state = sha256(digest.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        state.update(source.read_bytes())
    return cache_dir() / "wired" / f"{state.hexdigest()}.json"


def _loaded(data: dict[str, Any]) -> Wired:
    return Wired(data["files"], [Mention(**mention) for mention in data["mentions"]])
