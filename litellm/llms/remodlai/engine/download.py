"""
What vLLM needs of a model on the hub, and how much of it is on this machine already.
"""

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Final

from huggingface_hub import HfApi

from litellm.llms.remodlai.engine.check import folder_of
from litellm.llms.remodlai.engine.memory import GIB

ASK_SECONDS: Final = 10.0
BEGUN: Final = ".incomplete"
# Forms of a model's weights, the best first: what a repository has in one, it need not be fetched in the next.
WEIGHTS: Final = (("*.safetensors",), ("*.bin",), ("*.pt", "*.pth"), ("*.gguf",))
# Copies for other programs: TensorFlow, Flax, ONNX, OpenVINO, Core ML, Meta's own code.
OTHERS: Final = (
    *("*.h5", "*.msgpack", "*.ot", "*.tflite", "*.onnx", "*.onnx_data", "*.mlmodel", "*.mlpackage/*"),
    *("onnx/*", "openvino/*", "coreml/*", "original/*", "*.nemo", "*.llamafile"),
)


def needed(names: Iterable[str], quantization: str = "") -> list[str]:
    """
    The files of a repository that vLLM reads.

    Args:
        names: all that it has.
        quantization: of a GGUF model, as behind the colon of `org/name:Q4_K_M`: the one to take.

    Returns:
        Weights in one form, and everything that is small: configuration, tokenizer, code.
    """
    kept: Final = [name for name in names if not _matches(name, OTHERS)]
    forms: Final = [[name for name in kept if _matches(name, patterns)] for patterns in WEIGHTS]
    chosen: Final = (
        [name for name in forms[-1] if quantization.lower() in name.lower()]
        if quantization
        else next(filter(None, forms), [])
    )
    weights: Final = set(chain.from_iterable(forms))
    return [name for name in kept if name in chosen or name not in weights]


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def sizes_on_hub(model: str) -> dict[str, int]:
    """
    Asks the hub for the files that vLLM needs of a model.

    Args:
        model: id, for GGUF with a quantization behind a colon.

    Returns:
        Their sizes in bytes, by name.

    Raises:
        Exception: what huggingface_hub raises, offline and for a model that is not there or not open to everybody.
    """
    repository, _, quantization = model.partition(":")
    found: Final = HfApi().model_info(repository, files_metadata=True, timeout=ASK_SECONDS).siblings or []
    sizes: Final = {each.rfilename: each.size or 0 for each in found}
    return {name: sizes[name] for name in needed(sizes, quantization)}


def unfinished(blobs: Path) -> list[Path]:
    """
    Finds the beginnings of files that are not here whole.

    Args:
        blobs: where the hub's cache has a model's files, `ETAG`, and what is being fetched, `ETAG.….incomplete`.

    Returns:
        Those of downloads that run, or were killed before any other has fetched the file.
    """
    return [path for path in blobs.glob(f"*{BEGUN}") if not _whole(path).exists()]


def clear_away(blobs: Path) -> None:
    """Deletes what killed downloads have left of files that are here whole."""
    for path in blobs.glob(f"*{BEGUN}"):
        if _whole(path).exists():
            path.unlink(missing_ok=True)


def _whole(path: Path) -> Path:
    """The file that a path is the beginning of, or is."""
    return path.with_name(path.name.partition(".")[0])


class Download:
    """
    How far the download of a model is, as the hub's cache shows it to whoever waits for the engine that makes it.

    Args:
        model: directory or model id.
        environment: of the engine: variables say where the cache is.
        sizes: asks for the sizes of what has to be fetched.
    """

    def __init__(
        self,
        model: str,
        environment: Mapping[str, str],
        sizes: Callable[[str], Mapping[str, int]] = sizes_on_hub,
    ) -> None:
        self.model = model
        self.sizes = sizes
        self.is_on_hub = not os.path.exists(os.path.expanduser(model))
        self.blobs = folder_of(model, environment) / "blobs"
        self.total: int | None = None
        self._asking: threading.Thread | None = None

    def words(self) -> str | None:
        """Returns how many GiB of how many are here; None where nothing is being fetched."""
        if not self.is_on_hub or not unfinished(self.blobs):
            return None
        if self._asking is None:
            # The hub may answer slowly, and whoever shows this may be an event loop.
            self._asking = threading.Thread(target=self._ask, name="lexiq-nova-download", daemon=True)
            self._asking.start()
        here: Final = f"{sum(self._here().values()) / GIB:.1f}"
        return f"{here} GiB" if self.total is None else f"{here} of {self.total / GIB:.1f} GiB"

    def _ask(self) -> None:
        try:
            self.total = sum(self.sizes(self.model).values())
        except Exception:  # noqa: BLE001  # whatever the hub's client raises: the engine's own download says why
            self.total = None

    def _here(self) -> dict[Path, int]:
        """How much of each file is here; of one that was begun twice, what is furthest."""
        sizes: Final[defaultdict[Path, int]] = defaultdict(int)
        for path in self.blobs.glob("*"):
            with contextlib.suppress(FileNotFoundError):  # it has got its name just now
                sizes[_whole(path)] = max(sizes[_whole(path)], path.stat().st_size)
        return sizes
