"""
Applies the twin rule and the explicit edits to an upstream release, and audits that every mention is explained.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from zipfile import ZipFile

from fork import json_twins, line_twins
from fork.edit import Change, Edit
from fork.edits import all_edits
from fork.exemptions import exempt
from fork.json_values import JSON_VALUES
from fork.lock import ForkError
from fork.lock import release as locked_release
from fork.names import MENTION, PROVIDER, TWINS, Twin
from fork.places import File, NoPlace
from fork.programs import PROJECT, with_programs
from fork.splice import Splice
from fork.upstream import need_libcst

# Upstream's own implementation of the providers: their classes are subclassed, not twinned.
OWN_DIRECTORIES = ("litellm/llms/hosted_vllm/", "litellm/llms/vllm/")
# Where a provider is entered outside the package: upstream's source tree has these, its wheel does not.
SOURCE_FILES = (
    PROJECT,
    "README.md",
    "provider_endpoints_support.json",
    "ui/litellm-dashboard/src/components/provider_info_helpers.tsx",
)
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
    """
    What wiring makes of a release.

    Args:
        version: the release.
        files: the text of each changed file, by path.
        mentions: every mention.
        faults: what stops the build: edits without a place, and files that cannot be wired.
        left_out: edits for speed without a place, or for other releases, which are left out.
    """

    version: str
    files: dict[str, str] = field(default_factory=dict)
    mentions: list[Mention] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def unexplained(self) -> list[Mention]:
        return [mention for mention in self.mentions if mention.reason is None]

    def check(self) -> None:
        """Raises ForkError that lists every fault and every mention that is not explained."""
        said = []
        if self.faults:
            said.append(
                "\n".join([f"{len(self.faults)} places of litellm {self.version} need a decision:", *self.faults])
            )
        if unexplained := self.unexplained():
            said.append(
                f"{len(unexplained)} upstream mentions of vLLM are not explained; add a rule, an edit or an exemption "
                "in fork/:\n" + "\n".join(map(str, unexplained))
            )
        if said:
            raise ForkError("\n".join(said))


def all_rules() -> list[str]:
    """Names of all rules that `wire` applies."""
    # Imported late: building from kept files needs no LibCST.
    need_libcst()
    from fork import twins

    return [*twins.RULES, *json_twins.RULES, *line_twins.RULES]


def wire(
    release: ZipFile | Path,
    rules: Iterable[str] | None = None,
    edits: Sequence[Edit] | None = None,
    twins: Sequence[Twin] = TWINS,
) -> Wired:
    """
    Wires a release. Nothing is written, and everything that is wrong is collected.

    Args:
        release: upstream's wheel, opened, or a directory that holds a `litellm` folder.
        rules: names of the rules to apply; by default all.
        edits: the edits to make; by default all.
        twins: the twins to add; without one, the rules are not applied.

    Returns:
        The changed files, all mentions, and what `Wired.check` refuses.
    """
    need_libcst()
    rules = frozenset(all_rules() if rules is None else rules)
    wired = Wired(version_of(release))
    chosen = {edit: edit.places(wired.version) for edit in (all_edits() if edits is None else edits)}
    edited = {change.path for changes in chosen.values() for change in changes}
    files: dict[str, File] = {}
    before: dict[str, str] = {}
    for path, data in _texts(release, None if twins else edited):
        if not MENTION.search(data) and path not in edited and path != PROJECT:
            continue
        explained: dict[int, str] = {}
        before[path] = text = data
        try:
            text, explained = _twinned(path, data, rules, twins) if twins else (data, {})
            if path in edited:
                files[path] = File(path, text)
        except ForkError as error:
            wired.faults.append(str(error))
            continue
        except (SyntaxError, ValueError) as error:
            wired.faults.append(f"{path}: {error}")
            continue
        if text != data:
            wired.files[path] = text
        for number, line in enumerate(data.split("\n"), 1):
            if MENTION.search(line):
                reason = explained.get(number) or exempt(path, line) or (None if PROVIDER.search(line) else PROSE)
                wired.mentions.append(Mention(path, number, line.strip(), reason))
    wired.files.update(_edited(wired, chosen, files))
    for path, text in wired.files.items():
        if path.endswith(".py") and text != before[path]:
            try:
                compile(text, path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                wired.faults.append(f"{path}: {error}")
    return wired


def version_of(release: ZipFile | Path) -> str:
    """The version of a wheel or a source tree; the pinned one where neither says it."""
    if isinstance(release, ZipFile):
        infos = (name.split(".dist-info/")[0] for name in release.namelist() if ".dist-info/" in name)
        return next((info.split("-", 1)[1] for info in infos if "-" in info), "") or locked_release().version
    project = release / PROJECT
    found = re.search(r'^version = "(.+)"$', project.read_text(), re.MULTILINE) if project.is_file() else None
    return found[1] if found else locked_release().version


def _edited(wired: Wired, chosen: Mapping[Edit, list[Change]], files: Mapping[str, File]) -> dict[str, str]:
    """The text of the edited files; of an edit all places are changed, or none."""
    made: dict[str, list[tuple[Change, list[Splice]]]] = {}
    for edit, changes in chosen.items():
        splices, missing = [], []
        if edit.speed and not changes:
            missing.append(f"edit {edit.name}: is for {edit.releases or 'other releases'}")
        for change in changes:
            try:
                if change.path not in files:
                    raise NoPlace(f"{change.path} is not there")
                splices.append((change, files[change.path].splices(change)))
            except NoPlace as error:
                missing.append(f"edit {edit.name}: {error}")
        (wired.left_out if edit.speed else wired.faults).extend(missing)
        for change, each in splices if not missing else ():
            made.setdefault(change.path, []).append((change, each))
    return {path: files[path].edited(changes) for path, changes in made.items()}


def _texts(release: ZipFile | Path, only: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
    files: Iterable[tuple[str, Callable[[], bytes]]]
    if isinstance(release, ZipFile):
        files = ((name, partial(release.read, name)) for name in release.namelist())
    else:
        outside = (release / name for name in SOURCE_FILES)
        paths = sorted(path for path in (*(release / "litellm").rglob("*"), *outside) if path.is_file())
        files = ((path.relative_to(release).as_posix(), path.read_bytes) for path in paths)
    for name, read in files:
        if only is not None and name not in only:
            continue
        if name.startswith("litellm/") and not name.startswith(OWN_DIRECTORIES) or name in SOURCE_FILES:
            try:
                yield name, read().decode()
            except UnicodeDecodeError:
                continue  # an image or a compiled module


def _twinned(path: str, source: str, rules: frozenset[str], added: Sequence[Twin]) -> tuple[str, dict[int, str]]:
    if PROVIDER.search(source) and path.endswith(".json"):
        return json_twins.with_twins(source, rules, JSON_VALUES.get(path), added)
    if PROVIDER.search(source) and path.endswith(".py"):
        from fork import twins

        return twins.with_twins(source, partial(exempt, path), rules, added)
    if path == PROJECT:
        return with_programs(path, source), {}
    if path in SOURCE_FILES:
        return line_twins.with_twins(source, rules, added)
    return source, {}
