"""
Upstream's own checks of style over what the fork changes and adds: nothing new is found, in the pinned release and, in
`make gates` (GATES=all), in the newest locked one.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from difflib import SequenceMatcher
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Any

import pytest

from fork.lock import locked_versions, release
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import Wired

from . import discipline
from .conftest import Audit, audit

CONFIG = Path(__file__).with_name("ruff_of_upstream.toml")
OWN = "litellm/llms/remodlai/"
# The providers' methods have the signatures of the methods that they override, which say `Any`.
OVERRIDES = {"ANN401", "TID251"}
# Names of this module are the SDK's settings, which programs bind.
SETTINGS = "litellm/__init__.py"
# Twins that stand in a chain of branches, each of which binds the same names.
IN_CHAINS = Counter(
    {("litellm/litellm_core_utils/get_llm_provider_logic.py", "LIT011"): 4, ("litellm/utils.py", "LIT010"): 2}
)
# What mypy says of lines of ours: of an alias of upstream's that it does not know for a type, and of what is looked up
# by name in a stream, and what the core of the Router since 1.110 hands over, which upstream types as a mapping.
_ADAPTERS = "litellm/llms/anthropic/{}/adapters/transformation.py"
TO_CHECKER = Counter(
    {
        (_ADAPTERS.format("pass_through"), "attr-defined"): 1,
        (_ADAPTERS.format("messages"), "attr-defined"): 1,
        ("litellm/llms/anthropic/messages/adapters/streaming_iterator.py", "operator"): 2,
        ("litellm/router_rust/core.py", "arg-type"): 3,
        ("litellm/router_rust/steps/callbacks.py", "arg-type"): 2,
        ("litellm/router_rust/steps/callbacks.py", "attr-defined"): 1,
        ("litellm/llms/remodlai/common_utils.py", "override"): 1,
    }
)
# Release 3 of the openai package has types of httpx2, release 2 those of httpx; LiteLLM allows both.
OPENAI_3 = int(version("openai").split(".")[0]) >= 3
_OPENAI_CLIENT = "litellm/llms/remodlai/openai_client.py"
_OPENAI_COMPLETION = "litellm/llms/remodlai/completion/handler.py"
_OPENAI_COMMON = "litellm/llms/openai/common_utils.py"
if OPENAI_3:
    TO_CHECKER += Counter(
        {
            (_OPENAI_COMMON, "type-var"): 2,
            (_OPENAI_COMPLETION, "arg-type"): 4,
            (_OPENAI_CLIENT, "arg-type"): 6,
            (_OPENAI_CLIENT, "override"): 8,
            ("litellm/text_completions/streaming_iterator.py", "arg-type"): 1,
            ("litellm/utils.py", "arg-type"): 1,
        }
    )
# What basedpyright says of lines of ours, by why they stay.
TO_STRICT_CHECKER = Counter(
    {
        # Upstream's methods are static; ours ask their class which provider it is.
        (f"{OWN}chat/transformation.py", "reportIncompatibleMethodOverride"): 2,
        (f"{OWN}common_utils.py", "reportIncompatibleMethodOverride"): 2,
        (f"{OWN}passthrough/transformation.py", "reportIncompatibleMethodOverride"): 2,
        # A list of upstream's that is a property here, made when it is read.
        (f"{OWN}chat/streaming.py", "reportIncompatibleVariableOverride"): 1,
        # Names that upstream does not publish and has no other way to.
        ("litellm/litellm_core_utils/unheard_success.py", "reportPrivateUsage"): 1,
        ("litellm/litellm_core_utils/unmapped_models.py", "reportPrivateUsage"): 2,
        ("litellm/litellm_core_utils/unpriced_models.py", "reportPrivateUsage"): 1,
        ("litellm/responses/stream_body.py", "reportPrivateUsage"): 3,
        (f"{OWN}chat/streaming.py", "reportPrivateUsage"): 2,
        (f"{OWN}doctor.py", "reportPrivateUsage"): 1,
        (f"{OWN}passthrough/route.py", "reportPrivateUsage"): 3,
        # Modules that are imported where they are installed, and used only there; a loop that runs at least once.
        (f"{OWN}command/screen.py", "reportPossiblyUnboundVariable"): 5,
        (f"{OWN}engine/answer.py", "reportPossiblyUnboundVariable"): 4,
        (f"{OWN}engine/runtime.py", "reportPossiblyUnboundVariable"): 4,
        # httpx.codes, an enum of numbers that the checker takes for tuples; a record whose values have two types.
        (f"{OWN}common_utils.py", "reportUnnecessaryComparison"): 2,
        (f"{OWN}doctor.py", "reportUnnecessaryComparison"): 1,
        (f"{OWN}engine/answer.py", "reportUnnecessaryComparison"): 1,
        ("litellm/router_utils/requested_task.py", "reportUnnecessaryComparison"): 1,
        # Objects of callers and servers, which need not be of the type that upstream says.
        ("litellm/litellm_core_utils/unpriced_models.py", "reportUnnecessaryIsInstance"): 1,
        ("litellm/proxy/common_utils/plain_chunks.py", "reportUnnecessaryIsInstance"): 1,
        (f"{OWN}chat/streaming.py", "reportUnnecessaryIsInstance"): 1,
        (f"{OWN}passthrough/route.py", "reportUnnecessaryIsInstance"): 1,
        (f"{OWN}responses/transformation.py", "reportUnnecessaryIsInstance"): 1,
        (f"{OWN}responses/transformation.py", "reportTypedDictNotRequiredAccess"): 3,
        # Unions of upstream's, of which one member is there: a message's content, an answer that is a stream.
        (f"{OWN}chat/response_lines.py", "reportAttributeAccessIssue"): 1,
        (f"{OWN}chat/streaming.py", "reportArgumentType"): 1,
        (f"{OWN}chat/transformation.py", "reportGeneralTypeIssues"): 4,
        (f"{OWN}command/chat.py", "reportAttributeAccessIssue"): 1,
        (f"{OWN}command/chat.py", "reportGeneralTypeIssues"): 1,
        (f"{OWN}passthrough/route.py", "reportArgumentType"): 2,
        ("litellm/text_completions/streaming_iterator.py", "reportArgumentType"): 1,
        ("litellm/utils.py", "reportArgumentType"): 1,
        # As in TO_CHECKER: what the core of the Router hands over.
        ("litellm/router_rust/core.py", "reportArgumentType"): 3,
        ("litellm/router_rust/steps/callbacks.py", "reportArgumentType"): 2,
        ("litellm/router_rust/steps/callbacks.py", "reportAttributeAccessIssue"): 1,
    }
)
if OPENAI_3:
    TO_STRICT_CHECKER += Counter(
        {
            (_OPENAI_COMMON, "reportArgumentType"): 2,
            (_OPENAI_COMPLETION, "reportArgumentType"): 4,
            (_OPENAI_CLIENT, "reportArgumentType"): 6,
            (_OPENAI_CLIENT, "reportIncompatibleMethodOverride"): 4,
        }
    )
if find_spec("vllm") is not None:
    # Protocols of what is read of vLLM's objects, which may be changed there and is not here.
    TO_STRICT_CHECKER += Counter({(f"{OWN}engine/server.py", "reportArgumentType"): 3})
# What it says of values without a type, most of them upstream's: by rule, as upstream counts it, in full tens.
UNTYPED = Counter(
    {
        "reportAny": 240,
        "reportExplicitAny": 110,
        "reportUnknownArgumentType": 130,
        "reportUnknownLambdaType": 10,
        "reportUnknownMemberType": 150,
        "reportUnknownVariableType": 110,
    }
)
if OPENAI_3:  # 151
    UNTYPED["reportUnknownMemberType"] += 10
STRICT_CONFIG = Path(__file__).with_name("pyright_of_upstream.json")
ALL = os.environ.get("GATES") == "all"
needs_all = pytest.mark.skipif(not ALL, reason="make gates")
RELEASES = {release().version, *(locked_versions()[-1:] if ALL else ())}


@pytest.fixture(scope="module", params=sorted(RELEASES))
def changed(request: pytest.FixtureRequest, audited: Audit) -> Wired:
    """What the wiring makes of a release."""
    of_release = audited if request.param == release().version else audit(request.param)
    assert of_release.returncode == 0, of_release.stderr
    return of_release.wired[0]


@pytest.fixture(scope="module")
def trees(changed: Wired, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The changed files as the release has them, and the changed and added ones."""
    locked = release(changed.version)
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    with locked.opened(upstream_wheel(locked)) as archive:
        archive.extractall(before, [path for path in changed.files if path.endswith(".py")])
    for path, data in ({path: text.encode() for path, text in changed.files.items()} | overlay()).items():
        if path.endswith(".py"):
            (after / path).parent.mkdir(parents=True, exist_ok=True)
            (after / path).write_bytes(data)
    return before, after


def said(directory: Path, *command: str) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, f"--config={CONFIG}", "--output-format=json", "."],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return [{**each, "file": Path(each["filename"]).relative_to(directory.resolve()).as_posix()} for each in found]


def of_types(directory: Path) -> Counter[tuple[str, str]]:
    """What upstream's check of type discipline says; no wheel has it."""
    found: Counter[tuple[str, str]] = Counter()
    for path in directory.rglob("*.py"):
        file = path.relative_to(directory).as_posix()
        found.update((file, finding.rule) for finding in discipline.findings(path.read_text()))
    del found[SETTINGS, "LIT010"]
    return found


def findings(directory: Path) -> Counter[tuple[str, str]]:
    return Counter((each["file"], each["code"]) for each in said(directory, "check", "--quiet"))


def new_findings(before: Path, after: Path) -> set[tuple[str, str]]:
    new = findings(after) - findings(before)
    return {place for place in new if not (place[0].startswith(OWN) and place[1] in OVERRIDES)}


def needing_formatter(directory: Path) -> set[str]:
    return {each["file"] for each in said(directory, "format", "--check")}


def test_no_file_needs_the_formatter_that_did_not_before(trees: tuple[Path, Path]) -> None:
    before, after = map(needing_formatter, trees)
    assert after - before == set()


def test_nothing_new_is_found(trees: tuple[Path, Path]) -> None:
    assert new_findings(*trees) == set()


def test_types_are_as_disciplined_as_before(trees: tuple[Path, Path]) -> None:
    before, after = map(of_types, trees)
    assert after - before == IN_CHAINS


def of_checker(tree: Path, paths: list[str], cache: Path) -> Counter[tuple[str, str]]:
    """What mypy says of files of a whole package, without upstream's leniency for single modules."""
    options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent", f"--cache-dir={cache}"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "--output=json", *paths],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found = map(json.loads, done.stdout.splitlines())
    return Counter((each["file"], each["code"]) for each in found if each["severity"] == "error")


def of_strict_checker(tree: Path, paths: list[str]) -> list[tuple[str, str, int]]:
    """What basedpyright says of files of a whole package, as upstream configures it: file, rule and line."""
    if find_spec("basedpyright") is None:
        pytest.fail("basedpyright is not installed; `make gates` installs it, from requirements/gates.txt")
    (tree / "pyrightconfig.json").write_text(json.dumps({"extends": str(STRICT_CONFIG), "include": paths}))
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", f"--pythonpath={sys.executable}"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    told = json.loads(done.stdout)
    assert told["summary"]["filesAnalyzed"] == len(paths)
    return [
        (Path(each["file"]).relative_to(tree.resolve()).as_posix(), each["rule"], each["range"]["start"]["line"])
        for each in told["generalDiagnostics"]
        if each["severity"] == "error"
    ]


def changed_lines(before: Path, after: Path) -> set[int]:
    """The lines of a file that are not in the release, from 0."""
    old = before.read_text().splitlines() if before.exists() else []
    blocks = SequenceMatcher(None, old, new := after.read_text().splitlines(), autojunk=False).get_matching_blocks()
    return {*range(len(new))} - {line for block in blocks for line in range(block.b, block.b + block.size)}


@pytest.fixture(scope="module")
def package(changed: Wired, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of the release that a type checker reads."""
    locked, tree = release(changed.version), tmp_path_factory.mktemp("package")
    with locked.opened(upstream_wheel(locked)) as archive:
        archive.extractall(tree, [path for path in archive.namelist() if path.endswith((".py", ".pyi", "py.typed"))])
    return tree


def before_and_after(package: Path, trees: tuple[Path, Path], tree: Path, check: Callable[..., Any]) -> tuple[Any, Any]:
    """What a type checker says of the files that the fork changes, and of those that it changes and adds."""
    shutil.copytree(package, tree)
    before, after = ([path.relative_to(each).as_posix() for path in sorted(each.rglob("*.py"))] for each in trees)
    found = check(tree, before)
    shutil.copytree(trees[1], tree, dirs_exist_ok=True)
    return found, check(tree, after)


@needs_all
def test_the_type_checker_finds_nothing_new(package: Path, trees: tuple[Path, Path], tmp_path: Path) -> None:
    check = partial(of_checker, cache=tmp_path / "cache")
    before, after = before_and_after(package, trees, tmp_path / "tree", check)
    assert after - before - TO_CHECKER == Counter()


@needs_all
def test_the_strict_type_checker_finds_nothing_new(package: Path, trees: tuple[Path, Path], tmp_path: Path) -> None:
    """
    On a line of ours, that is: where a file changes, the checker may guess otherwise in lines that nobody touched. It
    gives up on a name with more than 64 assignments, say, as `optional_params` of upstream's has.
    """
    before, after = before_and_after(package, trees, tmp_path / "tree", of_strict_checker)
    ours = {file: changed_lines(trees[0] / file, trees[1] / file) for file in {each[0] for each in after}}
    more = Counter((file, rule) for file, rule, _ in after) - Counter((file, rule) for file, rule, _ in before)
    new = more & Counter((file, rule) for file, rule, line in after if line in ours[file])
    untyped = Counter(rule for _, rule in new.elements() if rule in UNTYPED)
    assert Counter({place: count for place, count in new.items() if place[1] not in UNTYPED}) - TO_STRICT_CHECKER == {}
    assert untyped - UNTYPED == {}, sorted(place for place in new.elements() if place[1] in UNTYPED)


@needs_all
def test_the_strict_type_checker_would_find_something_new(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from typing import Any\n\n\ndef a(b: Any, c: int | None) -> str: return c.real\n")
    rules = {rule for _, rule, _ in of_strict_checker(tmp_path, ["a.py"])}
    assert rules == {"reportAny", "reportExplicitAny", "reportOptionalMemberAccess", "reportReturnType"}


def test_changed_lines_are_those_that_the_release_has_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1\n2\n3\n")
    (tmp_path / "b.py").write_text("1\n4\n3\n5\n")
    assert changed_lines(tmp_path / "a.py", tmp_path / "b.py") == {1, 3}
    assert changed_lines(tmp_path / "none.py", tmp_path / "b.py") == {0, 1, 2, 3}


def test_folders_of_providers_are_in_the_table_of_endpoints(changed: Wired) -> None:
    """Upstream's check reads its source tree's table; the wheel has a copy of it, wired by the same rule."""
    locked = release(changed.version)
    with locked.opened(upstream_wheel(locked)) as archive:
        there = {PurePath(name).parts[2] for name in archive.namelist() if name.startswith("litellm/llms/")}
    folders = {PurePath(path).parts[2] for path in overlay() if path.startswith("litellm/llms/")} - there
    table = json.loads(changed.files["litellm/provider_endpoints_support_backup.json"])["providers"]
    assert folders and folders <= table.keys()


def test_a_new_finding_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from typing import Any\n\n\ndef a(b, c: Any = 1): return b\n")
    codes = {code for _, code in findings(tmp_path)}
    assert codes == {"ANN001", "ANN201", "ANN401", "TID251"}
    assert needing_formatter(tmp_path) == {"a.py"}
