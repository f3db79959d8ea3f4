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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from textwrap import fill

from fork.edit import Edit
from fork.edits import all_edits
from fork.lock import ForkError, release
from fork.patch import accompanying
from fork.series.earlier import without_later
from fork.source import ROOT
from fork.syntax import parsed
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import wire

PROVIDERS = "providers"
_OURS = "litellm/llms/remodlai/"
_WIDTH = 72


@dataclass(frozen=True)
class Patch:
    """
    One patch of the series.

    Args:
        name: the `patch=` of its edits.
        subject: first line of its message, a conventional commit.
        measured: how it was measured, and what came out.
        files: what else is in it, relative to the root.
        later: what its modules import and a later patch brings.
    """

    name: str
    subject: str
    measured: str = ""
    files: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


PATCHES = (
    Patch("create-response", "feat(responses): export create_response and acreate_response"),
    Patch("fix-unfinished-answers", "fix(chat): keep finish reasons that say an answer is unfinished"),
    Patch("fix-choices-of-a-stream", "fix(streaming): keep the choices of a chunk apart"),
    Patch("fix-content-parts", "fix(chat): send content parts as the caller wrote them"),
    Patch("fix-prefilled-answers", "fix(messages): continue a prefilled answer"),
    Patch("fix-schema-keywords", "fix(tools): leave a schema's properties alone that are named like keywords"),
    Patch("fix-token-ids-as-prompt", "fix(text completion): send token ids as a prompt"),
    Patch("fix-merged-extra-body", "fix(router): merge a deployment's extra_body with a call's"),
    Patch("fix-max-retries", "fix(retries): retry a call as often as it says"),
    Patch("fix-messages-stream-tool-calls", "fix(messages): stream every tool call of an answer"),
    Patch("fix-messages-tools-untouched", "fix(messages): leave the caller's tools as they are"),
    Patch("fix-context-window-wordings", "fix(exceptions): know more wordings of a context that is too long"),
    Patch("fix-cached-reasoning", "fix(caching): keep the reasoning of a cached answer"),
    Patch("fix-capability-flags", "fix(capabilities): believe what a deployment says its model can"),
    Patch("fix-base-model-prices", "fix(cost): price a model by its base_model"),
    Patch("broken-responses", "fix(responses): raise litellm's errors where a stream breaks off"),
    Patch(
        "http-clients",
        "perf(http): parse a URL once, search cookies only where an answer sets one",
        "timeit, CPython 3.11, per call: cookies of an answer 27 us before, 0.6 us after; httpx.URL() 25 us before, a "
        "look-up after.",
        later=("litellm/llms/custom_httpx/collector_safe_client.py",),
    ),
    Patch(
        "collected-streams",
        "fix(http): let a synchronous stream be collected inside httpcore",
        files=("tests/test_litellm/llms/custom_httpx/collect_inside_pool.py",),
    ),
    Patch("no-database", "fix(proxy): answer as without a database where there is none"),
    Patch("lazy-log-text", "perf(logging): format the raw response only where it is written"),
    Patch("listed-enums", "perf: do not list the members of two enums for every call"),
    Patch("answer-no-function", "perf: do not inspect an answer as a function"),
    Patch("given-base", "perf: read a base that was given without validating all parameters"),
    Patch("unmapped-models", "perf(cost): search the price lists once for a model that none knows"),
    Patch("unpriced-models", "perf(cost): do not look for a price that no list has"),
    Patch("unheard-success", "perf(logging): build no log entry where no callback hears of it"),
    Patch("management-routes", "perf(proxy): look up management routes once"),
    Patch("plain-chunks", "perf(proxy): serialize a chunk from plain objects"),
    Patch("without-limits", "perf(router): remember deployments without limits"),
    Patch(PROVIDERS, "feat(providers): add remodlai and lexiq_nova, Lexiq Nova hosted and local"),
)


def edits_of(patch: Patch) -> list[Edit]:
    """Returns a patch's edits; the last patch's are those that no other has."""
    others = {each.name for each in PATCHES} - {PROVIDERS}
    if patch.name == PROVIDERS:
        return [edit for edit in all_edits() if edit.patch not in others]
    return [edit for edit in all_edits() if edit.patch == patch.name]


def message(patch: Patch) -> str:
    """Returns a patch's message: its subject, what its edits say, how it was measured."""
    reasons = [edit.doc or "" for edit in edits_of(patch)] if patch.name != PROVIDERS else [_PROVIDERS_SAY]
    paragraphs = [part for reason in reasons for part in re.split(r"\n\s*\n", reason.strip())]
    if patch.measured:
        paragraphs.append(f"Measured: {patch.measured}")
    filled = (fill(" ".join(part.split()), _WIDTH, break_long_words=False) for part in paragraphs)
    return "\n\n".join([patch.subject, *filled])


_PROVIDERS_SAY = """\
`remodlai/` is a hosted, OpenAI-compatible Lexiq Nova server, `lexiq_nova/` a vLLM on the caller's own machine. Both do
what `hosted_vllm/` does on every endpoint, and send a call to the configured server or raise: never to another host.

Each endpoint's class inherits from `HostedVLLM…` and says only who it is. A Router chooses among deployments of one
embedding model by the task of a request.
"""


@lru_cache
def files_of(patch: Patch) -> frozenset[str]:
    """Returns the files of ours that come with a patch, by path."""
    index = PATCHES.index(patch)
    earlier = frozenset[str]().union(*(files_of(each) for each in PATCHES[:index]))
    ours = overlay() | accompanying()
    if patch.name == PROVIDERS:
        return frozenset(ours) - earlier
    changes = [change for edit in edits_of(patch) for change in edit.changes]
    sources = [source for change in changes for source in change.code.needed().values()]
    found = {name for module, name in sources for name in (module, f"{module}.{name}")}
    found |= {module for change in changes for node in change.code.body for module in _imported(node)}
    paths = _closed(found, {path: data for path, data in ours.items() if path not in patch.later})
    tests = {f"tests/test_{Path(path).parent}/test_{Path(path).name}" for path in paths}
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


@lru_cache
def prefix(count: int) -> dict[str, bytes]:
    """
    The files that differ from the release's when the first patches are applied.

    Args:
        count: how many patches.

    Raises:
        ForkError: an edit has no place.
    """
    locked = release()
    patches, complete = PATCHES[:count], count == len(PATCHES)
    chosen = {edit for patch in patches for edit in edits_of(patch)}
    with locked.opened(upstream_wheel(locked)) as archive:
        # In the order of the whole change: two edits may be made at one place.
        wired = wire(archive, edits=[edit for edit in all_edits() if edit in chosen], twins=complete)
    if complete:
        wired.check()
    elif wired.faults:
        raise ForkError("\n".join(wired.faults))
    ours = overlay() | accompanying()
    present = frozenset[str]().union(*(files_of(patch) for patch in patches))
    files = {path: text.encode() for path, text in wired.files.items()}
    files |= {path: ours[path] for path in sorted(present)}
    if complete:
        return files
    later = frozenset(ours) - present
    return {path: without_later(data, later) if path.endswith(".py") else data for path, data in files.items()}


def write(directory: Path, only: str | None = None) -> list[Path]:
    """
    Writes the series.

    Args:
        directory: where the patches go.
        only: name of one patch; by default all.

    Returns:
        The files, in order.

    Raises:
        ForkError: there is no such patch, an edit has no place, or git is not installed or fails.
    """
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
            if difference := _difference(prefix(number - 1), prefix(number)):
                file.write_bytes(_formatted(number, patch, difference))
                written.append(file)
    return written


def _formatted(number: int, patch: Patch, difference: bytes) -> bytes:
    first, _, body = message(patch).partition("\n\n")
    author, date = _author()
    head = [
        f"From {'0' * 40} Mon Sep 17 00:00:00 2001",
        f"From: {author}",
        f"Date: {date}",
        f"Subject: [PATCH {number:02}/{len(PATCHES)}] {first}",
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


def _difference(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    locked = release()
    changed = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
    with tempfile.TemporaryDirectory() as scratch, locked.opened(upstream_wheel(locked)) as archive:
        upstream = frozenset(archive.namelist())
        for tree, files in (("a", before), ("b", after)):
            for path in changed:
                if path in files or path in upstream:
                    target = Path(scratch, tree, path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(files[path] if path in files else archive.read(path))
        return _git(["diff", "--no-index", "--no-prefix", "--no-color", "a", "b"], Path(scratch), (0, 1))


def _git(arguments: Sequence[str], directory: Path, expected: tuple[int, ...]) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise ForkError("`python -m fork series` needs git; install it") from error
    if done.returncode not in expected:
        raise ForkError(f"`git {arguments[0]}` failed: {done.stderr.decode().strip()}")
    return done.stdout
