"""
What this tree is: the files that belong to the project, and the commit they are of.

git says both in a clone. A source distribution carries what git said when it was made, in MANIFEST.json. A tree with
neither (a copy without `.git`) still builds a wheel, under a version made of its content.
"""

import json
import os
import subprocess
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = "MANIFEST.json"
# What a wheel is made of.
_INPUTS = ("fork", "litellm", "LICENSE")
# The kinds of files that the fork adds to LiteLLM; whatever else lies there (backups, filled-in settings) stays there.
_KINDS = (".py", ".json", ".md", ".txt")
# Digits of a commit or of a content; fixed, because git's own choice depends on what else a clone holds.
_DIGITS = 10


@dataclass(frozen=True)
class Source:
    """
    A tree of the project.

    Args:
        files: paths that belong to the project, relative to its root.
        commit: git's name of the commit, 40 digits.
        time: when it was committed, in seconds since 1970.
        digest: `content()` of the commit, or None where the tree differs from it.
    """

    files: tuple[str, ...]
    commit: str
    time: int
    digest: str | None

    def manifest(self) -> bytes:
        """Returns what a source distribution carries as MANIFEST.json."""
        return json.dumps(asdict(self), indent=1).encode()


def local_version(revision: int, root: Path = ROOT) -> str:
    """
    Names the tree in the local part of a version (PEP 440): the same for the same commit, another for any other.

    Args:
        revision: the fork's own number.
        root: the tree.

    Returns:
        For a commit `remodlai.<revision>.<time, UTC>.g<commit>`, so that later commits sort later; with `.d<content>`
        behind it where the tree is changed; `remodlai.<revision>.d<content>` where no commit is known.
    """
    source = tree(root)
    parts = ["remodlai", str(revision)]
    if source:
        parts += [f"{datetime.fromtimestamp(source.time, timezone.utc):%Y%m%d%H%M%S}", f"g{source.commit[:_DIGITS]}"]
    found = content(root)
    if source is None or source.digest != found:
        parts.append(f"d{found[:_DIGITS]}")
    return ".".join(parts)


def tree(root: Path = ROOT) -> Source | None:
    """Returns what git or MANIFEST.json says of the tree, or None where there is neither."""
    manifest = root / MANIFEST
    if manifest.is_file():
        said = json.loads(manifest.read_text())
        return Source(**{**said, "files": tuple(said["files"])})
    # In a clone's subfolder git answers as well, about other files.
    if _git(root, "rev-parse", "--show-prefix") != "\n" or not (last := _git(root, "log", "-1", "--format=%H %ct")):
        return None
    commit, time = last.split()
    changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *_INPUTS)
    files = tuple(sorted(filter(None, (_git(root, "ls-files", "-z") or "").split("\0"))))
    return Source(files, commit, int(time), content(root) if changed == "" else None)


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints, or None where it fails or is not installed."""
    # A checkout may belong to another user than a container's; another repository's variables are not about it.
    command = ["git", "--no-optional-locks", "-c", f"safe.directory={root}", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)
    except OSError:
        return None
    return None if done.returncode else os.fsdecode(done.stdout)


def overlay_files(root: Path = ROOT) -> dict[str, Path]:
    """Returns the files that the fork adds to LiteLLM, by their path in it; new ones too, before git tracks them."""
    return {path: file for path, file in _inputs(root) if path.startswith("litellm/")}


def content(root: Path = ROOT) -> str:
    """Returns the sha256 (hex) of all that a wheel is made of, besides upstream's."""
    state = sha256()
    for path, file in _inputs(root):
        state.update(f"{path}\0{sha256(file.read_bytes()).hexdigest()}\n".encode())
    return state.hexdigest()


def _inputs(root: Path) -> list[tuple[str, Path]]:
    files = [file for name in _INPUTS for file in [root / name, *(root / name).rglob("*")] if file.is_file()]
    paths = {file.relative_to(root).as_posix(): file for file in files if file.suffix != ".pyc"}
    return sorted((path, file) for path, file in paths.items() if not path.startswith("litellm/") or _is_ours(file))


def _is_ours(file: Path) -> bool:
    return file.suffix in _KINDS and not file.name.startswith(".")
