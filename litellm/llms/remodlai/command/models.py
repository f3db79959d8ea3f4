"""
The models of this machine's disk: `list`, `pull`.
"""

import glob
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from huggingface_hub import CacheNotFound, scan_cache_dir, snapshot_download
from huggingface_hub.errors import GatedRepoError, HFValidationError, OfflineModeIsEnabled, RepositoryNotFoundError

from litellm.llms.remodlai.command.engines import seen_engines
from litellm.llms.remodlai.command.naming import model_named
from litellm.llms.remodlai.command.screen import say, say_json, say_table, size
from litellm.llms.remodlai.engine.check import CONFIGURATIONS, cannot_be_served, folder_of, hub_cache
from litellm.llms.remodlai.engine.download import clear_away, sizes_on_hub, unfinished
from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.errors import LexiqNovaError

# The hub's client asks with httpx, and since its release 2 with httpx2, whose errors are none of httpx's.
UNFETCHED: Final[tuple[type[Exception], ...]] = (
    OSError,
    ValueError,
    *(import_module(name).HTTPError for name in ("httpx", "httpx2") if find_spec(name) is not None),
)

HEADS: Final = ("MODEL", "SIZE", "STATE")


@dataclass(frozen=True)
class Model:
    """
    A model as `list` shows it, and `list --json` by these names.

    Args:
        model: directory or model id.
        size_bytes: on disk.
        state: of its engine, as `ps` shows it; else `cached`, or `incomplete` where a download was cut off.
        path: where it is.
    """

    model: str
    size_bytes: int
    state: str
    path: str


def list_models(as_json: bool = False) -> int:
    """Shows the models that run, and those in the hub's cache."""
    states: Final = {seen.model: seen.state for seen in reversed(seen_engines())}
    cached: Final = {model.model: model for model in _cached()}
    running: Final = [cached.get(name) or _directory(name) for name in states]
    others: Final = [model for name, model in cached.items() if name not in states]
    up: Final = [Model(each.model, each.size_bytes, states.get(each.model, each.state), each.path) for each in running]
    found: Final = [*up, *others]
    if as_json:
        say_json({"models": [asdict(each) for each in found]})
    else:
        say_table(HEADS, [[each.model, size(each.size_bytes), each.state] for each in found])
    return 0


def _cached() -> Iterator[Model]:
    try:
        cache: Final = scan_cache_dir(hub_cache(os.environ))
    except CacheNotFound:
        return
    for repository in sorted(cache.repos, key=lambda each: each.repo_id):
        folders = [revision.snapshot_path for revision in repository.revisions]
        if repository.repo_type == "model" and any(map(_has_configuration, folders)):
            state = "incomplete" if unfinished(repository.repo_path / "blobs") else "cached"
            yield Model(repository.repo_id, repository.size_on_disk, state, str(repository.repo_path))


def _has_configuration(folder: Path) -> bool:
    return any((folder / name).exists() for name in CONFIGURATIONS)


def _directory(model: str) -> Model:
    files: Final = [path for path in Path(model).rglob("*") if path.is_file()] if os.path.isdir(model) else []
    return Model(model, sum(path.stat().st_size for path in files), "cached", model)


def pull(model: str, as_json: bool = False) -> int:
    """
    Fetches what vLLM needs of a model into the hub's cache: files that are not here whole. Where a connection is cut
    off, the hub's client goes on in the middle of a file; after its end, it begins that file anew.

    Raises:
        LexiqNovaError: it cannot be fetched, and why.
    """
    name: Final = model_named(model)
    if os.path.exists(name):
        raise failure(f"{name} is a directory of this machine: there is nothing to fetch", 400)
    why_not: Final = cannot_be_served(name, (), os.environ)
    if why_not is not None:
        raise failure(*why_not)
    repository: Final = name.partition(":")[0]
    try:
        sizes: Final = sizes_on_hub(name)
        if not sizes:
            raise failure(f"{name} has no file that vLLM reads", 404)
        path: Final = snapshot_download(
            repository, cache_dir=hub_cache(os.environ), allow_patterns=[glob.escape(file) for file in sizes]
        )
    except UNFETCHED as error:
        raise _refusal(repository, error) from error
    clear_away(folder_of(repository, os.environ) / "blobs")
    if as_json:
        say_json({"model": name, "path": path, "files": len(sizes), "size_bytes": sum(sizes.values())})
    else:
        say(f"{name} is here: {len(sizes)} files, {size(sum(sizes.values()))}, {path}")
    return 0


def _refusal(repository: str, error: Exception) -> LexiqNovaError:
    """Why the hub did not give a model, in one sentence."""
    if isinstance(error, OfflineModeIsEnabled):
        return failure(f"HF_HUB_OFFLINE keeps {repository} from being fetched; unset it", 503)
    if isinstance(error, GatedRepoError):
        text: Final = (
            f"{repository} is gated: accept its licence at https://huggingface.co/{repository}, and set HF_TOKEN"
        )
        return failure(text, 403)
    if isinstance(error, RepositoryNotFoundError):
        return failure(f"the hub has no model {repository}, or shows it only to some (set HF_TOKEN)", 404)
    if isinstance(error, HFValidationError):
        return failure(f"{repository} is neither a directory nor a model id (`org/name`)", 404)
    said: Final = (str(error).strip() or type(error).__name__).splitlines()[0]
    here: Final = folder_of(repository, os.environ)
    return failure(f"{repository} could not be fetched: {said} (what is here stays in {here})", 503)
