"""The wiring of the pinned release and of the other locked one, and what the audit says where it is not complete."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import pytest

from fork import twins, wiring
from fork.__main__ import main
from fork.edits import all_edits
from fork.exemptions import EXEMPTIONS, exempt
from fork.lock import LOCK_FILE, Release
from fork.releases import holds
from fork.syntax import parsed
from fork.wiring import OWN_DIRECTORIES, Wired, all_rules, wire

from .conftest import Audit, Tiny, audit

# Shapes that neither locked release has; test_twins.py has their before and after.
WITHOUT_A_SITE = {"operand", "case", "line"}


def test_the_audit_explains_every_mention(audited: Audit, upstream: Path) -> None:
    """Counted here by reading every text file of the wheel, line by line."""
    with ZipFile(upstream) as archive:
        names = [name for name in archive.namelist() if name.startswith("litellm/")]
        expected = []
        for name in names:
            if not name.startswith(OWN_DIRECTORIES):
                lines = archive.read(name).decode(errors="replace").split("\n")
                expected += [f"{name}:{number}:" for number, line in enumerate(lines, 1) if "vllm" in line.lower()]
    assert audited.returncode == 0, audited.stderr
    *printed, summary = audited.stdout.splitlines()
    explained = [line.split(" ")[0] for line in printed if re.match(r"\S+:\d+: \w", line)]
    assert sorted(explained) == sorted(expected)
    assert len(expected) > 173  # a plain count of the lines of Python, which is what the wiring began with
    assert "UNEXPLAINED" not in audited.stdout
    assert re.match(rf"litellm \S+: {len(expected)} mentions in \d+ files \(", summary)


def test_the_audit_names_every_edit(audited: Audit, locked: Release) -> None:
    for edit in all_edits():
        for change in edit.places(locked.version):
            assert f"{change.path}: edit {edit.name}: {change.how} {change.symbol}: {edit.reason}" in audited.stdout


def test_every_rule_but_two_has_a_site_in_the_pinned_release(wired: Wired) -> None:
    assert set(all_rules()) - {mention.reason for mention in wired.mentions} == WITHOUT_A_SITE


@pytest.mark.parametrize("rule", [rule for rule in all_rules() if rule not in WITHOUT_A_SITE])
def test_without_a_rule_the_audit_fails_and_names_its_sites(
    rule: str,
    wired: Wired,
    upstream: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Of the files that hold its sites the three shortest are enough, and are faster than all.
    with ZipFile(upstream) as whole, ZipFile(tmp_path / upstream.name, "w") as part:
        holders = {mention.path for mention in wired.mentions if mention.reason == rule}
        for path in sorted(holders, key=lambda path: whole.getinfo(path).file_size)[:3]:
            part.writestr(path, whole.read(path))
        sites = [each for each in wired.mentions if each.reason == rule and each.path in part.namelist()]
    monkeypatch.setattr("fork.__main__.upstream_wheel", lambda _: tmp_path / upstream.name)
    monkeypatch.setattr(Release, "opened", lambda _, wheel: ZipFile(wheel))
    monkeypatch.setattr(wiring, "all_edits", tuple)

    assert main(["audit", "--without", rule]) == 1
    refusal = capsys.readouterr().err
    assert "are not explained; add a rule, an edit or an exemption in fork/" in refusal
    named = [site for site in sites if f"\n{site.path}:{site.line}: UNEXPLAINED: {site.text[:120]}" in refusal]
    # Inside a branch, another rule may still explain a line; the line of the test itself is always named.
    assert named and {site.path for site in named} == {site.path for site in sites}


def test_an_unknown_rule_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--without", "elment"]) == 1
    assert re.match(r"error: no such rule: elment\. Rules: element, literal, .*\n$", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("litellm/new.py", 'import x\n\nif provider != "hosted_vllm":\n    x.go()\n', 3),
        ("litellm/new.py", 'x = connect("vllm")\n', 1),
        ("litellm/new.py", "class VLLMThing: ...\n", 1),
        ("litellm/new.json", '{\n  "note": "served by vllm"\n}\n', 2),
        ("litellm/new.yaml", "provider: vllm\n", 1),
    ],
)
def test_a_mention_that_nothing_explains_is_refused(
    tiny: Callable[..., Tiny], tmp_path: Path, path: str, text: str, line: int
) -> None:
    directory = tmp_path / "out"
    done = tiny({path: text}).fork("build", directory)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: 1 upstream mentions of vLLM are not explained; add a rule, an edit or an exemption in fork/:",
        f"{path}:{line}: UNEXPLAINED: {text.splitlines()[line - 1].strip()}",
    ]
    assert list(directory.iterdir()) == []


def test_prose_about_the_server_software_is_no_mention_of_the_provider(tiny: Callable[..., Tiny]) -> None:
    done = tiny({"litellm/new.py": 'x = log("a vLLM server")\n'}).fork("audit")
    assert done.returncode == 0, done.stderr
    assert "litellm/new.py:1: prose: vLLM, the server software: " in done.stdout


@pytest.mark.parametrize(
    ("path", "text"),
    [("litellm/new.py", 'x = ["vllm"\n'), ("litellm/new.json", '{"vllm": 1, "b": 2}\n')],
    ids=["python", "json"],
)
def test_a_file_that_cannot_be_wired_is_refused(tiny: Callable[..., Tiny], path: str, text: str) -> None:
    done = tiny({path: text}).fork("audit")
    assert done.returncode == 1
    assert re.fullmatch(rf"error: 1 places of litellm \S+ need a decision:\n{re.escape(path)}: .*\n", done.stderr)


EDIT = """\
from fork.edit import Edit

EDIT = Edit(__name__, "Why.", "a-patch", speed={speed})


@EDIT.after("litellm/{file}.py", "{symbol}")
@EDIT.after("litellm/providers.py", "PROVIDERS")
def code() -> None:
    ours = 1
"""


def test_all_places_that_are_gone_and_all_mentions_are_named_at_once(tiny: Callable[..., Tiny]) -> None:
    made = tiny({"litellm/new.py": 'x = connect("vllm")\ny = use("vllm")\n', "litellm/broken.py": 'z = ["vllm"\n'})
    for name, file, symbol in (("one", "gone", "a"), ("two", "providers", "MOVED")):
        (made.checkout / f"fork/edits/{name}.py").write_text(EDIT.format(speed=False, file=file, symbol=symbol))
    done = made.fork("audit")
    assert done.returncode == 1
    first, *lines = done.stderr.splitlines()
    assert first == f"error: 3 places of litellm {made.version} need a decision:"
    assert set(lines) >= {
        "edit one: litellm/gone.py is not there",
        "edit two: litellm/providers.py: `MOVED` is there 0 times, not once",
        'litellm/new.py:1: UNEXPLAINED: x = connect("vllm")',
        'litellm/new.py:2: UNEXPLAINED: y = use("vllm")',
    }
    assert any(line.startswith("litellm/broken.py: ") for line in lines)


def test_an_edit_for_speed_whose_place_is_gone_is_left_out_whole(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    (made.checkout / "fork/edits/faster.py").write_text(EDIT.format(speed=True, file="gone", symbol="a"))
    done = made.fork("audit")
    assert done.returncode == 0, done.stderr
    assert "left out: edit faster: litellm/gone.py is not there\n" in done.stdout
    built = made.fork("build", tmp_path / "out")
    with ZipFile(built.stdout.strip()) as archive:
        assert b"ours" not in archive.read("litellm/providers.py")


def test_an_edit_for_speed_that_is_for_other_releases_is_named(tiny: Callable[..., Tiny]) -> None:
    made = tiny()
    edit = EDIT.format(speed=True, file="providers", symbol="PROVIDERS")
    (made.checkout / "fork/edits/faster.py").write_text(edit.replace("speed=True", 'speed=True, releases="<0.1"'))
    done = made.fork("audit")
    assert done.returncode == 0, done.stderr
    assert "left out: edit faster: is for <0.1\n" in done.stdout


def test_every_changed_file_is_whole(wired: Wired) -> None:
    for path, text in wired.files.items():
        if path.endswith(".json"):
            json.loads(text)
        else:
            compile(text, path, "exec", dont_inherit=True)
    assert {Path(path).suffix for path in wired.files} == {".py", ".json"}


def test_the_fork_knows_its_providers_and_every_name_that_the_wiring_imports(wired: Wired, unpacked: Path) -> None:
    """Names of statements and of the registry of lazy imports; each in the fork as it is installed."""
    imports = {("litellm", name) for name in _registry_names(wired)}
    for path, text in wired.files.items():
        if path.endswith(".py"):
            for node in ast.walk(parsed(text)):
                if isinstance(node, ast.ImportFrom) and "llms.remodlai" in (node.module or ""):
                    module = f"litellm.{node.module}" if node.level else str(node.module)
                    imports.update((module, alias.name) for alias in node.names)
    assert {name for _, name in imports} >= {"HostedLexiqNovaChatConfig", "LexiqNovaConfig", "LexiqNovaModelInfo"}
    program = """
import importlib, json, sys
import litellm
from importlib.metadata import version
for name in ("remodlai", "lexiq_nova"):
    assert litellm.LlmProviders(name) in litellm.LlmProviders
    assert name in litellm.provider_list and name in litellm.openai_compatible_providers
    assert getattr(litellm, f"{name}_key") is None
    assert litellm.get_llm_provider(f"{name}/m", api_base="http://localhost:1")[:2] == ("m", name)
assert litellm.create_response is litellm.responses and litellm.acreate_response is litellm.aresponses
missing = [(module, name) for module, name in json.load(sys.stdin)
           if not hasattr(importlib.import_module(module), name)]
print(json.dumps([litellm.__file__, version("litellm"), missing]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(sorted(imports)),
        cwd=unpacked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    file, version, missing = json.loads(done.stdout)
    assert Path(file).is_relative_to(unpacked)
    assert "+remodlai." in version
    assert missing == []


def _registry_names(wired: Wired) -> list[str]:
    return re.findall(r'^ {4}"(\w*LexiqNova\w*)": \(', wired.files["litellm/_lazy_imports_registry.py"], re.MULTILINE)


def test_wiring_a_directory_is_wiring_the_wheel(tmp_path: Path) -> None:
    """For `python -m fork apply`; the same small release both ways."""
    files = {
        "litellm/__init__.py": "hosted_vllm_key = None\n",
        "litellm/a/b.py": 'x = ["vllm"]\n',
        "litellm/a/c.json": '{\n  "vllm": 1\n}\n',
        "litellm/llms/vllm/own.py": "vllm = 1\n",
        "litellm/picture.png": "\udcff",
        "tests/test_vllm.py": "vllm = 1\n",
    }
    with ZipFile(tmp_path / "x.whl", "w") as archive:
        for path, text in files.items():
            data = text.encode(errors="surrogateescape")
            archive.writestr(path, data)
            (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "tree" / path).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch, ZipFile(tmp_path / "x.whl") as archive:
        patch.setattr(wiring, "all_edits", tuple)
        wheel, tree = wire(archive), wire(tmp_path / "tree")
    assert wheel == tree
    assert set(tree.files) == {"litellm/__init__.py", "litellm/a/b.py", "litellm/a/c.json"}


# The other locked releases

LOCK = json.loads(LOCK_FILE.read_text())
# The newest of them stands for all: each takes half a minute and a download. `make matrix` checks them all.
OTHERS = [version for version in LOCK["releases"] if version != LOCK["pin"]][-1:]


@pytest.fixture(scope="module", params=OTHERS)
def other(request: pytest.FixtureRequest) -> tuple[str, Audit]:
    """Another locked release and its audit. Its wheel is downloaded once, into the cache."""
    done = audit(request.param)
    if "is not in the cache and could not be downloaded" in done.stderr:
        pytest.skip(f"litellm {request.param} is not in the cache and no package index can be reached")
    return request.param, done


def test_another_locked_release_is_explained_as_well(other: tuple[str, Audit]) -> None:
    version, done = other
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"litellm {version}: ")
    assert "UNEXPLAINED" not in done.stdout


def test_another_locked_release_builds(
    other: tuple[str, Audit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version, done = other
    monkeypatch.setenv("LITELLM_UPSTREAM", version)
    monkeypatch.setattr("fork.cached.wire", lambda _: done.wired[0])
    assert main(["build", str(tmp_path)]) == 0
    wheel = Path(capsys.readouterr().out.strip())
    assert wheel.name.startswith(f"litellm-{version}+remodlai.{LOCK['revision']}.")
    with ZipFile(wheel) as archive:
        assert archive.testzip() is None
        assert "litellm/llms/remodlai/common_utils.py" in archive.namelist()
        assert 'REMODLAI = "remodlai"' in archive.read("litellm/types/utils.py").decode()


def test_every_exemption_explains_a_mention_of_a_locked_release(audited: Audit, other: tuple[str, Audit]) -> None:
    printed = audited.stdout + other[1].stdout
    unused = [exemption for exemption in EXEMPTIONS if f": exempt: {exemption.reason}: " not in printed]
    assert all(exemption.since and not locked_since(exemption.since) for exemption in unused), unused


def locked_since(version: str) -> bool:
    return any(holds(f">={version}", locked) for locked in LOCK["releases"])


def test_the_fields_of_a_choice_are_of_every_provider() -> None:
    """As upstream has them from 1.110 on."""
    source = (
        "from litellm.constants import (\n    STREAM_CHOICE_FIELDS,\n    VLLM_CHOICE_FIELDS,\n)\n\n\n"
        "def _vllm_choice_fields(choice):\n    return {field: choice[field] for field in VLLM_CHOICE_FIELDS}\n"
    )
    text, explained = twins.with_twins(source, partial(exempt, "litellm/any.py"))
    assert text == source
    assert all(reason.startswith("exempt: fields of vLLM's choices") for reason in explained.values())
