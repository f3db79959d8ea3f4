"""`fork check` and `fork pin`: all that a release needs is said at once, and only what passed is written."""

import json
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from fork.check import TESTS
from fork.source import ROOT

from .conftest import TINY_FILES, Tiny, write_wheel

NEWER = "9.9.9"


def index(made: Tiny, files: dict[str, str] | None = None) -> dict[str, str]:
    """An index that has the pinned release and a newer one."""
    wheel = made.wheel.with_name(f"litellm-{NEWER}-py3-none-any.whl")
    write_wheel(wheel, {**TINY_FILES, **(files or {})}, NEWER)
    return {"PIP_FIND_LINKS": str(wheel.parent), "LITELLM_UPSTREAM_WHEEL": ""}


def add_edit(made: Tiny, name: str, symbol: str) -> None:
    code = f"""
from fork.edit import Edit

EDIT = Edit(__name__, "Why.", "a-patch")


@EDIT.after("litellm/providers.py", "{symbol}")
def code() -> None:
    ours = 1
"""
    (made.checkout / f"fork/edits/{name}.py").write_text(code)


def lock(made: Tiny) -> bytes:
    return (made.checkout / "fork/lock.json").read_bytes()


def test_every_site_that_needs_a_decision_is_named(tiny: Callable[..., Tiny]) -> None:
    """Three anchors that moved and two new mentions."""
    made = tiny({"litellm/providers.py": 'PROVIDERS = ["openai", "hosted_vllm"]\nA = B = C = 1\n'})
    for name in "abc":
        add_edit(made, f"edit_{name}", name.upper())
    assert made.fork("audit").returncode == 0
    environment = index(made, {"litellm/new.py": 'x = connect("vllm")\ny = use("vllm")\n'})
    before = lock(made)
    for command in ("check", "pin"):
        done = made.fork(command, NEWER, "--without-tests", **environment)
        assert done.returncode == 1
        first, *sites = done.stderr.splitlines()
        assert first == f"error: litellm {NEWER}: these 5 sites need a decision:"
        assert sites == [
            *(f"edit edit-{name.lower()}: litellm/providers.py: `{name}` is there 0 times, not once" for name in "ABC"),
            'litellm/new.py:1: UNEXPLAINED: x = connect("vllm")',
            'litellm/new.py:2: UNEXPLAINED: y = use("vllm")',
        ]
        assert lock(made) == before


def test_what_is_new_about_vllm_is_shown(tiny: Callable[..., Tiny]) -> None:
    made = tiny()
    files = {"litellm/new.py": 'x = ["vllm"]\n', "litellm/llms/hosted_vllm/__init__.py": "more = 1\nand_more = 2\n"}
    before = lock(made)
    done = made.fork("check", NEWER, "--without-tests", **index(made, files))
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == f"litellm {NEWER}: 1 wheels"
    assert '  litellm/new.py: x = ["vllm"]' in said
    assert "  litellm/llms/hosted_vllm/__init__.py: +2 -0" in said
    assert "[proxy] resolves" in said
    assert any(line.startswith(f"built litellm-{NEWER}+remodlai.1.") for line in said)
    assert said[-1] == f"release {NEWER}: fine"
    assert lock(made) == before


def test_the_nearest_to_what_the_proxy_asks_for(tiny: Callable[..., Tiny]) -> None:
    """Of two pinned packages the index has another release, and none; the third is as it should be."""
    made = tiny()
    environment = index(made)
    wheels = made.wheel.parent
    for name, version in (("moved", "2"), ("there", "1")):
        write_wheel(wheels / f"{name}-{version}-py3-none-any.whl", {}, version, name)
    write_wheel(
        wheels / f"litellm-{NEWER}-py3-none-any.whl",
        TINY_FILES,
        NEWER,
        proxy=("moved==1 ;", "gone==1 ;", "there>=1 ; python_version > '3' and"),
    )
    done = made.fork("check", NEWER, "--without-tests", **environment)
    assert done.returncode == 0, done.stderr
    [said] = [line for line in done.stdout.splitlines() if line.startswith("[proxy] ")]
    assert said.startswith("[proxy] does not resolve: No matching distribution found for ")
    assert said.endswith("; tried with moved 2, without gone")


def test_a_release_that_cannot_be_imported(tiny: Callable[..., Tiny]) -> None:
    """In an environment of its own, before any of its tests."""
    made = tiny()
    (made.checkout / "requirements").mkdir()
    for name in ("test", "proxy"):
        (made.checkout / f"requirements/{name}.txt").write_text("")
    done = made.fork("check", NEWER, **index(made, {"litellm/__init__.py": "import litellm.round_and_round\n"}))
    assert done.returncode == 1
    assert done.stderr.startswith("error: it cannot be imported:\n")
    assert done.stderr.endswith("No module named 'litellm.round_and_round'\n")


def test_the_newest_is_checked_where_none_is_named(tiny: Callable[..., Tiny]) -> None:
    made = tiny()
    done = made.fork("check", "--without-tests", **index(made))
    assert done.stdout.endswith(f"release {NEWER}: fine\n"), done.stderr


def test_a_table_of_all_locked_releases(tiny: Callable[..., Tiny]) -> None:
    """The last of them has a mention that nothing explains."""
    made = tiny()
    environment = index(made, {"litellm/new.py": 'x = connect("vllm")\n'})
    newer = made.wheel.with_name(f"litellm-{NEWER}-py3-none-any.whl")
    releases = {
        version: {wheel.name: sha256(wheel.read_bytes()).hexdigest()}
        for version, wheel in ((made.version, made.wheel), (NEWER, newer))
    }
    (made.checkout / "fork/lock.json").write_text(
        json.dumps({"pin": made.version, "revision": 1, "releases": releases})
    )
    done = made.fork("matrix", "--without-tests", **environment)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "| release | audit | [proxy] | unit | parity | superset | edges | one proxy |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        f"| {made.version} | clean | resolves | – | – | – | – | – |",
        f"| {NEWER} | 1 sites | – | – | – | – | – | – |",
    ]
    assert done.stderr.startswith(f"error: {NEWER}: litellm {NEWER}: these 1 sites need a decision:\n")


def test_the_tests_of_a_release_are_there() -> None:
    assert [file for files in TESTS.values() for file in files if not (ROOT / file).exists()] == []


def pinned(done: subprocess.CompletedProcess[str], made: Tiny) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(lock(made)))


def test_pin_writes_what_passed(tiny: Callable[..., Tiny]) -> None:
    made = tiny()
    environment = index(made)
    newer = made.wheel.with_name(f"litellm-{NEWER}-py3-none-any.whl")
    hashes = {wheel.name: sha256(wheel.read_bytes()).hexdigest() for wheel in (made.wheel, newer)}
    expected = {made.version: {made.wheel.name: hashes[made.wheel.name]}, NEWER: {newer.name: hashes[newer.name]}}
    beside = pinned(made.fork("pin", "--beside", NEWER, "--without-tests", **environment), made)
    assert beside == {"pin": made.version, "revision": 1, "releases": expected}
    assert pinned(made.fork("pin", NEWER, "--without-tests", **environment), made) == {**beside, "pin": NEWER}


def test_a_release_whose_tests_fail_is_not_pinned(tiny: Callable[..., Tiny]) -> None:
    """In an environment of its own, where this small release has no tests to pass."""
    made = tiny()
    before = lock(made)
    (made.checkout / "requirements").mkdir()
    for name in ("test", "proxy"):
        (made.checkout / f"requirements/{name}.txt").write_text("")
    done = made.fork("pin", NEWER, **index(made))
    assert done.returncode == 1
    assert done.stderr.startswith("error: its tests fail:\n")
    assert "No module named pytest" in done.stderr
    assert lock(made) == before


def test_a_release_that_the_index_does_not_have(tiny: Callable[..., Tiny]) -> None:
    made = tiny()
    before = lock(made)
    done = made.fork("pin", NEWER)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: the package index has no wheel of litellm {NEWER}; `pip index versions litellm` lists them\n"
    )
    assert lock(made) == before


def test_a_release_whose_files_have_changed(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    found = sha256(made.wheel.read_bytes()).hexdigest()
    path = made.checkout / "fork/lock.json"
    path.write_text(path.read_text().replace(found, "0" * 64))
    done = made.fork("pin", made.version, PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == (
        f"error: the index now says sha256 {found} for {made.wheel.name}, fork/lock.json {'0' * 64}: do not pin it\n"
    )
