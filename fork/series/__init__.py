"""
The change as a series of patches that `git am` takes: first what is independent of our providers, one problem each,
then the providers.

PATCHES lists them in order. What is in a patch follows from the edits that name it (`patch=`): the edits themselves,
the modules of ours that their code imports and no earlier patch has, and the tests beside those modules. Its message is
the subject here and what the edits' docstrings say. The last patch takes everything else, so that the series is the
whole change.

With patches 1 to k applied, a module of ours does not yet name what a later patch brings: a provider in a list, a base
class, an import.
"""

import ast
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from textwrap import fill
from zipfile import ZipFile

from fork.cached import wired_files
from fork.edit import Edit
from fork.edits import all_edits
from fork.lock import ForkError, release
from fork.patch import SELF_HOSTED, TESTS, accompanying, require_clean
from fork.series.earlier import without_later
from fork.source import ROOT
from fork.syntax import parsed
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import version_of, wire

PROVIDERS = "providers"
# The page of both providers and its line of the sidebar, between two that stand there, in BerriAI/litellm-docs.
PAGE = (
    "docs/providers/remodlai.md",
    "sidebars.js",
    '        "providers/remodlai",',
    '        "providers/recraft",',
    '        "providers/replicate",',
)
_OURS = "litellm/llms/remodlai/"
_WIDTH = 72


@dataclass(frozen=True)
class Patch:
    """
    One patch of the series.

    Args:
        name: the `patch=` of its edits.
        subject: first line of its message, a conventional commit.
        says: what its message says besides what its edits do.
        measured: how it was measured, and what came out.
        files: what else is in it, relative to the root.
    """

    name: str
    subject: str
    says: str = ""
    measured: str = ""
    files: tuple[str, ...] = ()


_PROVIDERS_SAY = """\
`remodlai/` is a hosted, OpenAI-compatible Lexiq Nova server, `lexiq_nova/` a vLLM on the caller's own machine. Both do
what `hosted_vllm/` does on every endpoint, and send a call to the configured server or raise: never to another host.

Each endpoint's class inherits from `HostedVLLM…` and says only who it is. A Router chooses among deployments of one
embedding model by the task of a request.
"""

_CALL = "of the processor time of a synchronous call, with and without in turn in one process."

PATCHES = (
    Patch(
        "self-hosted-tests",
        "test: add a server on loopback for tests of self-hosted providers",
        "It records what it is asked, and answers as vLLM does.",
    ),
    Patch("create-response", "feat(responses): export create_response and acreate_response"),
    Patch("fix-unfinished-answers", "fix(chat): keep finish reasons that say an answer is unfinished"),
    Patch("fix-choices-of-a-stream", "fix(streaming): keep the choices of a chunk apart"),
    Patch("fix-content-parts", "fix(chat): send content parts as the caller wrote them"),
    Patch("fix-prefilled-answers", "fix(messages): continue a prefilled answer"),
    Patch("fix-schema-keywords", "fix(tools): leave a schema's properties alone that are named like keywords"),
    Patch("fix-token-ids-as-prompt", "fix(text completion): send token ids as a prompt"),
    Patch(
        "fix-left-text-completions",
        "fix(proxy): bill and log a text completion's stream that its client leaves",
    ),
    Patch("fix-merged-extra-body", "fix(router): merge a deployment's extra_body with a call's"),
    Patch("fix-max-retries", "fix(retries): retry a call as often as it says"),
    Patch("fix-messages-stream-tool-calls", "fix(messages): stream every tool call of an answer"),
    Patch("fix-messages-tools-untouched", "fix(messages): leave the caller's tools as they are"),
    Patch("fix-context-window-wordings", "fix(exceptions): know more wordings of a context that is too long"),
    Patch("fix-cached-reasoning", "fix(caching): keep the reasoning of a cached answer"),
    Patch("fix-capability-flags", "fix(capabilities): believe what a deployment says its model can"),
    Patch("fix-base-model-prices", "fix(cost): price a model by its base_model"),
    Patch("fix-plain-installation", "fix(caching): answer from the cache without the proxy's packages"),
    Patch("broken-responses", "fix(responses): raise litellm's errors where a stream breaks off"),
    Patch("raising-responses", "fix(responses): close the connection of a stream that raises"),
    Patch(
        "collected-streams",
        "fix(http): let a synchronous stream be collected inside httpcore",
        files=("tests/test_litellm/llms/custom_httpx/collect_inside_pool.py",),
    ),
    Patch("no-database", "fix(proxy): answer as without a database where there is none"),
    Patch(
        "listed-enums",
        "perf: do not list the members of two enums for every call",
        measured="82 us of the processor time of a synchronous call (2.2 ms), by timeit.",
    ),
    Patch(
        "given-base",
        "perf: read a base that was given without validating all parameters",
        measured=f"3 % {_CALL}",
    ),
    Patch(
        "unmapped-models",
        "perf(cost): search the price lists once for a model that none knows",
        measured=f"27 % {_CALL}",
    ),
    Patch(
        "unpriced-models",
        "perf(cost): do not look for a price that no list has",
        measured=f"14 % {_CALL}",
    ),
    Patch(
        "unheard-success",
        "perf(logging): build no log entry where no callback hears of it",
        measured=f"19 % {_CALL}; 35 % of a chunk of a synchronous stream of 200.",
    ),
    Patch(
        "plain-chunks",
        "perf(proxy): serialize a chunk from plain objects",
        measured="23 of about 170 us of processor time of a chunk, 64 streams at once through one worker.",
    ),
    Patch(
        "without-limits",
        "perf(router): remember deployments without limits",
        measured="620 of 13,200 us of processor time of a call, 64 at once through one worker.",
    ),
    Patch(PROVIDERS, "feat(providers): add remodlai and lexiq_nova, Lexiq Nova hosted and local", _PROVIDERS_SAY),
)


def edits_of(patch: Patch) -> list[Edit]:
    """Returns a patch's edits; the last patch's are those that no other has."""
    others = {each.name for each in PATCHES} - {PROVIDERS}
    if patch.name == PROVIDERS:
        return [edit for edit in all_edits() if edit.patch not in others]
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
    index = PATCHES.index(patch)
    earlier = frozenset[str]().union(*(files_of(each, version) for each in PATCHES[:index]))
    ours = overlay() | accompanying(version)
    if patch.name == PROVIDERS:
        return frozenset(ours) - earlier
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
    return frozenset((paths | tests & ours.keys() | set(patch.files)) - earlier)


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
    return {path for path in paths if not path.startswith(_OURS)}


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
    patches, complete = PATCHES[:count], count == len(PATCHES)
    version = version if tree is None else version_of(tree)
    wired = _whole(tree, version) if complete else _edited(count, tree, version)
    ours = overlay() | accompanying(version)
    present = frozenset[str]().union(*(files_of(patch, version) for patch in patches))
    files = {path: text.encode() for path, text in wired.items()}
    files |= {path: ours[path] for path in sorted(present)}
    if complete:
        return files
    later = frozenset(ours) - present
    return {path: without_later(data, later) if path.endswith(".py") else data for path, data in files.items()}


def _whole(tree: Path | None, version: str) -> dict[str, str]:
    if tree is None:
        locked = release(version)
        return wired_files(locked, upstream_wheel(locked))
    wired = wire(tree)
    wired.check()
    return wired.files


@lru_cache
def _edited(count: int, tree: Path | None, version: str) -> dict[str, str]:
    """Upstream's files with the edits of the first patches; only those that the last of them edits are edited again."""
    if not count:
        return {}
    paths = {change.path for edit in edits_of(PATCHES[count - 1]) for change in edit.changes}
    chosen = {edit for patch in PATCHES[:count] for edit in edits_of(patch)}
    # In the order of the whole change: two edits may be made at one place.
    edits = [edit for edit in all_edits() if edit in chosen and any(each.path in paths for each in edit.changes)]
    with _upstream(tree) as upstream:
        wired = wire(upstream, edits=edits, twins=False)
    if wired.faults:
        raise ForkError("\n".join(wired.faults))
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
    if only in (None, PROVIDERS):
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
