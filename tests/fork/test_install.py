"""Every way to install the fork, for real, into fresh virtual environments.

The fork's dependencies are not the point: the environments see those of the interpreter that runs the tests, behind
their own packages.
"""

import os
import shutil
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fork.lock import Release
from fork.source import MANIFEST, local_version

from .conftest import committed, copy_checkout, git, needs_git, run

UV = "uv==0.13.9"  # one of the installers that the fork has to work with
# What takes the index away from pip: its address, its configuration files, and the network.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull, "LOOPBACK_ONLY": "1"}


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip."""

    directory: Path

    @property
    def python(self) -> Path:
        return self.directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def pip(self, *arguments: str | Path, cwd: Path, **env: str) -> None:
        """Runs the tests' pip on it."""
        options = ["--python", self.python, *arguments]
        done = run(sys.executable, "-m", "pip", *options, cwd=cwd, PYTHONPATH="", **env)
        assert done.returncode == 0, done.stderr + done.stdout

    def install(self, *what: str | Path, cwd: Path, **env: str) -> None:
        """`pip install`: isolated as pip does it by default, without litellm's dependencies."""
        self.pip("install", "--no-deps", "--no-compile", *what, cwd=cwd, **env)

    def says(self, program: str) -> str:
        """What a program prints there, with the network refused."""
        done = run(self.python, "-c", program, cwd=self.directory, LOOPBACK_ONLY="1")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def check(self, locked: Release, provider: Path | None = None) -> None:
        """Asserts that the fork is installed, whole, with its provider in `provider`."""
        program = (
            "import litellm, importlib.metadata, litellm.llms.remodlai.common_utils as ours\n"
            "assert litellm.get_llm_provider('remodlai/m', api_base='http://localhost:1')[1] == 'remodlai'\n"
            "litellm.HostedLexiqNovaChatConfig, litellm.LexiqNovaConfig\n"
            "print(importlib.metadata.version('litellm'), litellm.__file__, ours.__file__)"
        )
        version, package, module = self.says(program).split()
        assert version == locked.fork_version
        assert Path(package).is_relative_to(self.directory)
        assert Path(module).parent == (provider or Path(package).parent / "llms/remodlai")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    made = Environment(tmp_path / "environment")
    venv.create(made.directory, symlinks=os.name != "nt")
    site = sysconfig.get_path("purelib", "venv", {"base": str(made.directory)})
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made


@pytest.fixture
def checkout(tmp_path: Path, snapshot: Path, built: Path) -> Path:
    """A copy of this checkout; `built` has filled the cache before."""
    return copy_checkout(snapshot, tmp_path / "checkout")


def test_pip_install_from_nothing_and_again_without_index(
    environment: Environment, checkout: Path, upstream: Path, locked: Release, tmp_path: Path
) -> None:
    """The first build wires and takes LibCST from the index; the second has its wheel, or the files wired before."""
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "LITELLM_UPSTREAM_WHEEL": str(upstream)}
    shutil.rmtree(checkout / "build")
    environment.install(".", cwd=checkout, **cache)
    environment.check(locked)
    environment.pip("uninstall", "--yes", "litellm", cwd=checkout)
    assert {path.suffix for path in (tmp_path / "cache/litellm-remodlai").rglob("*") if path.is_file()} == {
        ".whl",
        ".txt",
    }

    shutil.rmtree(checkout / "build")
    environment.install(".", cwd=checkout, **cache, **OFFLINE)
    environment.check(locked)
    environment.pip("uninstall", "--yes", "litellm", cwd=checkout)

    shutil.rmtree(tmp_path / "cache")
    environment.install(".", cwd=checkout, **cache, **OFFLINE)
    environment.check(locked)


def test_pip_install_editable(environment: Environment, checkout: Path, locked: Release) -> None:
    """The provider's files are the checkout's: a change and a new module need no reinstallation."""
    environment.install("-e", ".", cwd=checkout, **OFFLINE)
    provider = checkout / "litellm/llms/remodlai"
    environment.check(locked, provider)

    with (provider / "common_utils.py").open("a") as module:
        module.write("\nADDED = 'just now'\n")
    (provider / "brand_new.py").write_text("NAME = __name__\n")
    program = (
        "from litellm.llms.remodlai.common_utils import ADDED; from litellm.llms.remodlai.brand_new import NAME\n"
        "print(ADDED, NAME)"
    )
    assert environment.says(program) == "just now litellm.llms.remodlai.brand_new"


@needs_git
def test_pip_install_from_git(environment: Environment, checkout: Path, locked: Release) -> None:
    """From a commit of what is here now; a later one replaces it, as its version is another."""
    (checkout / MANIFEST).unlink()
    address = f"git+{committed(checkout).as_uri()}"
    environment.install(address, cwd=environment.directory, **OFFLINE)
    environment.check(replace(locked, local=local_version(1, checkout)))

    with (checkout / "litellm/llms/remodlai/common_utils.py").open("a") as module:
        module.write("\nADDED = 'in the next commit'\n")
    git(checkout, "commit", "--quiet", "--all", "--message", "next")
    environment.install(address, cwd=environment.directory, **OFFLINE)
    environment.check(replace(locked, local=local_version(1, checkout)))
    program = "from litellm.llms.remodlai.common_utils import ADDED; print(ADDED)"
    assert environment.says(program) == "in the next commit"


def test_python_m_build(checkout: Path, built: Path, tmp_path: Path) -> None:
    """A source distribution, and from it the very wheel that the checkout gives. It carries the commit's name."""
    out = tmp_path / "out"
    done = run(sys.executable, "-m", "build", "--outdir", out, checkout, cwd=tmp_path, PYTHONPATH="", **OFFLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    wheel = out / built.name
    [sdist] = [path for path in out.iterdir() if path != wheel]
    assert sdist.name == "-".join(built.name.split("-")[:2]) + ".tar.gz"
    assert wheel.read_bytes() == built.read_bytes()


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tools = tmp_path_factory.mktemp("tools")
    done = run(sys.executable, "-m", "pip", "install", "--target", tools, UV, PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    return tools / "bin/uv"


@pytest.fixture
def uv_install(uv: Path, environment: Environment, tmp_path: Path) -> Callable[..., None]:
    """Installs with uv, which keeps what it has built."""

    def install(*what: str | Path, cwd: Path) -> None:
        options = ["--offline", "--no-config", "--no-deps", "--python", environment.python]
        cache = {"PYTHONPATH": "", "UV_CACHE_DIR": str(tmp_path / "uv")}
        done = run(uv, "pip", "install", *options, *what, cwd=cwd, **cache)
        assert done.returncode == 0, done.stderr

    return install


VERSION = "import importlib.metadata; print(importlib.metadata.version('litellm'))"


def add_line(file: Path, line: str) -> None:
    with file.open("a") as module:
        module.write(f"\n{line}\n")


def test_uv_pip_install(
    uv_install: Callable[..., None], environment: Environment, checkout: Path, locked: Release
) -> None:
    uv_install(".", cwd=checkout)
    environment.check(locked)
    uv_install("-e", ".", cwd=checkout)
    environment.check(locked, checkout / "litellm/llms/remodlai")


@pytest.mark.parametrize("changed", ["fork/__main__.py", "litellm/litellm_core_utils/content_parts.py"])
@pytest.mark.parametrize("editable", [False, True], ids=["copied", "editable"])
def test_uv_builds_a_changed_checkout_again(
    uv_install: Callable[..., None],
    environment: Environment,
    checkout: Path,
    tmp_path: Path,
    changed: str,
    editable: bool,
) -> None:
    """For a project that names the checkout as a source, uv keeps the wheel until something of the build changes."""
    project = tmp_path / "project"
    project.mkdir()
    source = f'[tool.uv.sources]\nlitellm = {{ path = "{checkout}", editable = {str(editable).lower()} }}\n'
    about = '[project]\nname = "p"\nversion = "0"\ndependencies = ["litellm"]\n'
    (project / "pyproject.toml").write_text(about + source)
    found = []
    for line in ("", "# changed"):
        add_line(checkout / changed, line)
        uv_install("--requirement", "pyproject.toml", cwd=project)
        found.append(environment.says(VERSION))
    assert found[1].endswith(local_version(1, checkout))
    assert found[0] != found[1]


@needs_git
def test_uv_pip_install_from_git(
    uv_install: Callable[..., None], environment: Environment, checkout: Path, locked: Release
) -> None:
    """A later commit replaces an earlier one."""
    (checkout / MANIFEST).unlink()
    address = f"litellm @ git+{committed(checkout).as_uri()}"
    for number in range(2):
        add_line(checkout / "litellm/llms/remodlai/common_utils.py", f"ADDED = {number}")
        git(checkout, "commit", "--quiet", "--all", "--message", "next")
        uv_install(address, cwd=environment.directory)
        environment.check(replace(locked, local=local_version(1, checkout)))
        assert environment.says("from litellm.llms.remodlai.common_utils import ADDED; print(ADDED)") == str(number)
