"""
The change as a series of patches that `git am` takes.

`patches` lists them in order. What is in a patch follows from the edits that name it (`patch=`): the edits themselves,
the modules of ours that their code imports and no earlier patch has, and the tests beside those modules; and from the
files that the list names. Its message is the subject there and what the list or the edits' docstrings say. The first
provider's patch takes the files that no other one names, so that the series is the whole change.

With patches 1 to k applied, a module of ours does not yet name what a later patch brings (`earlier`).
"""

import ast
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from textwrap import fill
from zipfile import ZipFile

from fork.cached import wired_files
from fork.edit import Edit
from fork.edits import all_edits
from fork.lock import ForkError, release
from fork.patch import SELF_HOSTED, TESTS, accompanying, require_clean
from fork.programs import PROGRAMS, PROJECT
from fork.series.earlier import without_later
from fork.series.patches import OURS, PATCHES, Patch
from fork.source import ROOT
from fork.syntax import parsed
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import version_of, wire

# The page of both providers and its line of the sidebar, between two that stand there, in BerriAI/litellm-docs.
PAGE = (
    "docs/providers/remodlai.md",
    "sidebars.js",
    '        "providers/remodlai",',
    '        "providers/recraft",',
    '        "providers/replicate",',
)
_WIDTH = 72
_HERE = Path(__file__).parent
# Modules of the programs that `pyproject.toml` of a source tree gets.
_PROGRAMS = frozenset(f"{target.split(':')[0].replace('.', '/')}.py" for target in PROGRAMS.values())
# With this patch the providers begin: it takes all files of ours that no other one names.
FIRST_PROVIDER = next(number for number, patch in enumerate(PATCHES) if patch.twin)


def edits_of(patch: Patch) -> list[Edit]:
    """Returns a patch's edits."""
    return [edit for edit in all_edits() if edit.patch == patch.name]


def message(patch: Patch) -> str:
    """Returns a patch's message: its subject, what its edits say, how it was measured."""
    reasons = [patch.says] if patch.says else [edit.doc or "" for edit in edits_of(patch)]
    paragraphs = [part for reason in reasons for part in re.split(r"\n\s*\n", reason.strip())]
    if patch.measured:
        paragraphs.append(f"Measured: {patch.measured}")
    filled = (fill(" ".join(part.split()), _WIDTH, break_long_words=False) for part in paragraphs)
    return "\n\n".join([patch.subject, *filled])


@lru_cache
def files_of(patch: Patch, version: str) -> frozenset[str]:
    """Returns the files of ours that come with a patch for a release, by path."""
    earlier = frozenset[str]().union(*(_named_by(each, version) for each in PATCHES[: PATCHES.index(patch)]))
    own = _named_by(patch, version) - earlier
    if patch is not PATCHES[FIRST_PROVIDER]:
        return own
    named = frozenset[str]().union(*(_named_by(each, version) for each in PATCHES))
    return own | frozenset(overlay() | accompanying(version)) - named


@lru_cache
def _named_by(patch: Patch, version: str) -> frozenset[str]:
    """Files that a patch's edits and its list name."""
    ours = overlay() | accompanying(version)
    if patch is PATCHES[0]:
        return frozenset(path for path in ours if path.startswith(SELF_HOSTED) and "/test_" not in path[len(TESTS) :])
    changes = [change for edit in edits_of(patch) for change in edit.changes]
    sources = [source for change in changes for source in change.code.needed().values()]
    found = {name for module, name in sources for name in (module, f"{module}.{name}")}
    found |= {module for change in changes for node in change.code.body for module in _imported(node)}
    paths = _closed(found, ours)
    tests = {f"tests/test_{Path(path).parent}/test_{Path(path).name}" for path in paths}
    named = {f"test_{edit.name.replace('-', '_')}.py" for edit in edits_of(patch)}
    tests |= {path for path in ours if path.startswith(SELF_HOSTED) and Path(path).name in named}
    listed = {path for path in ours if any(fnmatchcase(path, pattern) for pattern in patch.files)}
    return frozenset(paths | tests & ours.keys() | listed)


def _imported(tree: ast.AST) -> set[str]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {str(node.module) for node in nodes} | {
        f"{node.module}.{alias.name}" for node in nodes for alias in node.names
    }


def _closed(modules: Iterable[str], ours: Mapping[str, bytes]) -> set[str]:
    """The files of these modules that are ours, and of those that they import."""
    paths: set[str] = set()
    pending = {f"{module.replace('.', '/')}.py" for module in modules}
    while pending:
        new = {path for path in pending if path in ours} - paths
        paths |= new
        pending = {f"{name.replace('.', '/')}.py" for path in new for name in _imported(parsed(ours[path]))}
    return {path for path in paths if not path.startswith(f"{OURS}/")}


def prefix(count: int, tree: Path | None = None) -> dict[str, bytes]:
    """
    The files that differ from upstream's when the first patches are applied.

    Args:
        count: how many patches.
        tree: a source tree of upstream's; by default the locked release.

    Raises:
        ForkError: an edit has no place.
    """
    return _prefix(count, tree, release().version)


@lru_cache
def _prefix(count: int, tree: Path | None, version: str) -> dict[str, bytes]:
    patches, later_patches = PATCHES[:count], PATCHES[count:]
    version = version if tree is None else version_of(tree)
    wired = _edited(count, tree, version) if later_patches else _whole(tree, version)
    ours = overlay() | accompanying(version)
    present = frozenset[str]().union(*(files_of(patch, version) for patch in patches))
    later = frozenset(ours) - present
    kept = wired.keys() - (set() if later.isdisjoint(_PROGRAMS) else {PROJECT})
    files = {path: wired[path].encode() for path in sorted(kept)} | {path: ours[path] for path in sorted(present)}
    before = dict(pair for patch in later_patches for pair in patch.before)
    files |= {path: (_HERE / before[path]).read_bytes() for path in sorted(before.keys() & present)}
    twins = [patch.twin for patch in later_patches if patch.twin]
    return {
        path: without_later(path, data, later, twins) if path.endswith(".py") and later_patches else data
        for path, data in files.items()
    }


def _whole(tree: Path | None, version: str) -> dict[str, str]:
    if tree is None:
        locked = release(version)
        return wired_files(locked, upstream_wheel(locked))
    wired = wire(tree)
    wired.check()
    return wired.files


@lru_cache
def _edited(count: int, tree: Path | None, version: str) -> dict[str, str]:
    """Upstream's files with the edits and the providers of the first patches."""
    if not count:
        return {}
    patches = PATCHES[:count]
    twins = [patch.twin for patch in patches if patch.twin]
    chosen = {edit for patch in patches for edit in edits_of(patch)}
    paths = {change.path for edit in edits_of(patches[-1]) for change in edit.changes}
    # In the order of the whole change: two edits may be made at one place. Only the files that the last patch edits are
    # edited again, until a provider may be in any of them.
    edits = [
        edit for edit in all_edits() if edit in chosen and (twins or any(each.path in paths for each in edit.changes))
    ]
    with _upstream(tree) as upstream:
        wired = wire(upstream, edits=edits, twins=twins)
    if wired.faults:
        raise ForkError("\n".join(wired.faults))
    if twins:
        return wired.files
    return _edited(count - 1, tree, version) | {path: text for path, text in wired.files.items() if path in paths}


@contextmanager
def _upstream(tree: Path | None) -> Iterator[ZipFile | Path]:
    if tree is not None:
        yield tree
        return
    locked = release()
    with locked.opened(upstream_wheel(locked)) as archive:
        yield archive


def write(directory: Path, only: str | None = None, tree: Path | None = None) -> list[Path]:
    """
    Writes the series, and the patch for the repository of upstream's documentation.

    Args:
        directory: where the patches go.
        only: name of one patch; by default all.
        tree: a source tree of upstream's that they are for; by default the locked release, which has no `README.md`,
            table of endpoints or sources of the dashboard.

    Returns:
        The files, in order.

    Raises:
        ForkError: there is no such patch, an edit has no place, `tree` is no source tree of upstream's or has the
            change, or git is not installed or fails.
    """
    if tree is not None:
        require_clean(tree)
    names = [patch.name for patch in PATCHES]
    if only is not None and only not in names:
        raise ForkError(f"no such patch: {only}. Patches: {', '.join(names)}")
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for number, patch in enumerate(PATCHES, 1):
        if only in (None, patch.name):
            subject = re.sub(r"[^A-Za-z0-9]+", "-", patch.subject).strip("-")
            file = directory / f"{number:04}-{subject[:52].rstrip('-')}.patch"
            # Where the release has no place for its edits, or has made the change itself, a patch is empty.
            if difference := _difference(prefix(number - 1, tree), prefix(number, tree), tree):
                file.write_bytes(_formatted(f"{number:02}/{len(PATCHES)}", message(patch), difference))
                written.append(file)
    if only in (None, PATCHES[-1].name):
        written.append(write_page(directory / "litellm-docs"))
    return written


def write_page(directory: Path) -> Path:
    """Writes the patch for BerriAI/litellm-docs."""
    page, sidebar, line, earlier, later = PAGE
    new = [f"+{line}\n" for line in (ROOT / page).read_text().splitlines()]
    difference = [
        f"diff --git a/{page} b/{page}\nnew file mode 100644\n--- /dev/null\n+++ b/{page}\n",
        f"@@ -0,0 +1,{len(new)} @@\n",
        *new,
        # git finds the place by the two lines around it, wherever they are.
        f"diff --git a/{sidebar} b/{sidebar}\n--- a/{sidebar}\n+++ b/{sidebar}\n",
        f"@@ -1000,2 +1000,3 @@\n {earlier}\n+{line}\n {later}\n",
    ]
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "0001-docs-add-the-providers-remodlai-and-lexiq_nova.patch"
    said = "docs: add the providers remodlai and lexiq_nova\n\nOne page for both, and its line in the sidebar."
    file.write_bytes(_formatted("1/1", said, "".join(difference).encode()))
    return file


def _formatted(number: str, message: str, difference: bytes) -> bytes:
    first, _, body = message.partition("\n\n")
    author, date = _author()
    head = [
        f"From {'0' * 40} Mon Sep 17 00:00:00 2001",
        f"From: {author}",
        f"Date: {date}",
        f"Subject: [PATCH {number}] {first}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        body,
        "---",
        "",
    ]
    return "\n".join(head).encode() + difference + b"-- \nlitellm-remodlai\n\n"


@lru_cache
def _author() -> tuple[str, str]:
    said = _git(["log", "-1", "--format=%an <%ae>%n%aD"], ROOT, (0, 128)).decode().splitlines()
    return (said[0], said[1]) if len(said) == 2 else ("remodlai <remodlai@localhost>", "Thu, 1 Jan 1970 00:00:00 +0000")


def _difference(before: Mapping[str, bytes], after: Mapping[str, bytes], tree: Path | None) -> bytes:
    changed = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
    with tempfile.TemporaryDirectory() as scratch, _upstream(tree) as upstream:
        for side, files in (("a", before), ("b", after)):
            Path(scratch, side).mkdir()
            for path in changed:
                data = files[path] if path in files else _read(upstream, path)
                if data is not None:
                    target = Path(scratch, side, path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
        return _git(["diff", "--no-index", "--no-prefix", "--no-color", "a", "b"], Path(scratch), (0, 1))


def _read(upstream: ZipFile | Path, path: str) -> bytes | None:
    if isinstance(upstream, ZipFile):
        return upstream.read(path) if path in upstream.NameToInfo else None
    return (upstream / path).read_bytes() if (upstream / path).is_file() else None


def _git(arguments: Sequence[str], directory: Path, expected: tuple[int, ...]) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise ForkError("`python -m fork series` needs git; install it") from error
    if done.returncode not in expected:
        raise ForkError(f"`git {arguments[0]}` failed: {done.stderr.decode().strip()}")
    return done.stdout
