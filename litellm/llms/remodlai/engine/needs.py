"""
What an engine will take of the machine, as vLLM's options and the model's files tell before it loads.

Runs in the engine's process, where vLLM is and LiteLLM may not be. vLLM's own check comes when it loads, after another
engine has left for it: what cannot work by these numbers ends here.
"""

import contextlib
import os
import runpy
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, TypeAlias

if TYPE_CHECKING:
    from litellm.llms.remodlai.engine.memory import GIB, available_bytes, total_bytes
else:
    _memory: Final = runpy.run_path(str(Path(__file__).with_name("memory.py")))
    GIB: Final = _memory["GIB"]
    total_bytes: Final = _memory["total_bytes"]
    available_bytes: Final = _memory["available_bytes"]

# What vLLM's processes hold beside weights and cache, measured on a CPU.
OVERHEAD_BYTES: Final = 3 * GIB // 2
# An engine on a CPU, where nobody has said how much, has a cache of this size, and never less than one longest prompt.
CACHE_BYTES: Final = 2 * GIB
# vLLM's cache consists of whole blocks.
SLACK: Final = 1.1
NO_SLEEP: Final = "--no-enable-sleep-mode"
KV_SPACE: Final = "VLLM_CPU_KVCACHE_SPACE"
WEIGHTS: Final = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.gguf")
MEMORY: Final = "memory"

Needs: TypeAlias = dict[str, float]


class Options(Protocol):
    """What is read of vLLM's engine arguments."""

    gpu_memory_utilization: float
    kv_cache_memory_bytes: int | None
    distributed_executor_backend: object
    tensor_parallel_size: int
    pipeline_parallel_size: int
    data_parallel_size: int


class Type(Protocol):
    """What is read of a torch.dtype; one that holds a quantized model's name says no size."""

    itemsize: int


class Text(Protocol):
    """What is read of a transformer's configuration; another kind of model lacks some of it."""

    num_attention_heads: int
    num_hidden_layers: int
    hidden_size: int


class Model(Protocol):
    """What is read of vLLM's configuration of a model."""

    model: str
    revision: str | None
    dtype: Type
    max_model_len: int
    hf_text_config: Text


class Platform(Protocol):
    """What is read of vLLM's platform."""

    device_control_env_var: str

    def get_device_total_memory(self) -> int: ...


def needs_of(arguments: Namespace, options: Options, model: Model, shares: bool) -> Needs | None:
    """
    Says what an engine will take.

    Args:
        arguments: of vLLM's command line; the size of the cache is set here if nobody has.
        options: vLLM's engine arguments, made of them.
        model: vLLM's configuration of the model.
        shares: whether the engine leaves room for others where its options do not say how much it takes.

    Returns:
        Bytes of the machine's memory, as `memory`, or a share of each device, by its number or id; None where that
        cannot be told.
    """
    share: Final = options.gpu_memory_utilization
    if not 0 < share <= 1:
        _refuse(f"gpu_memory_utilization must be above 0 and at most 1, not {share}")
    cache: Final = options.kv_cache_memory_bytes
    if cache is not None and cache <= 0:
        _refuse(f"kv_cache_memory_bytes must be above 0, not {cache}")
    try:
        from vllm.platforms import current_platform as platform
    except ImportError:
        return None  # an older vLLM
    if options.distributed_executor_backend == "ray" or getattr(options, "nnodes", 1) > 1:
        return None  # a part of it is on other machines
    weights: Final = _weights(model)
    if platform.is_cpu():
        return _of_memory(arguments, options, model, weights, shares)
    return _of_devices(options, platform, weights)


def _of_memory(arguments: Namespace, options: Options, model: Model, weights: int | None, shares: bool) -> Needs | None:
    total: Final = total_bytes()
    if total is None:
        return None
    workers: Final = options.tensor_parallel_size * options.pipeline_parallel_size * options.data_parallel_size
    said: Final = _cache_by_environment() or options.kv_cache_memory_bytes
    is_said: Final = said is not None or options.gpu_memory_utilization != type(options).gpu_memory_utilization
    default: Final = None if is_said or not shares or workers != 1 else _default_cache(model)
    fits: Final = default is not None and weights is not None and weights + default + OVERHEAD_BYTES <= total
    if fits:
        arguments.kv_cache_memory_bytes = default
    cache: Final = default if fits else said
    if cache is None:
        return {MEMORY: options.gpu_memory_utilization * total}
    if weights is None:
        return None
    needed: Final = weights + workers * cache
    if needed > total:
        sizes: Final = f"{weights / GIB:.1f} GiB of weights and {workers * cache / GIB:.1f} GiB of cache"
        _refuse(f"{sizes} are more than this machine's {total / GIB:.1f} GiB; set a smaller kv_cache_memory_bytes")
    return {MEMORY: needed + OVERHEAD_BYTES}


def _of_devices(options: Options, platform: Platform, weights: int | None) -> Needs | None:
    workers: Final = options.tensor_parallel_size * options.pipeline_parallel_size * options.data_parallel_size
    share: Final = _share(options, platform, weights, workers)
    if share is None:
        return None
    visible: Final = [
        each.strip() for each in os.environ.get(platform.device_control_env_var, "").split(",") if each.strip()
    ]
    chosen: Final = getattr(options, "device_ids", None) or range(workers)
    try:
        # A number counts among the devices that the environment shows.
        return {str(visible[each] if visible and isinstance(each, int) else each): share for each in chosen}
    except IndexError:
        return None  # vLLM will say so


def _share(options: Options, platform: Platform, weights: int | None, workers: int) -> float | None:
    """What an engine takes of each device; None where that cannot be told."""
    if options.kv_cache_memory_bytes is None:
        return float(options.gpu_memory_utilization)
    if weights is None:
        return None
    bytes_of_each: Final = weights / workers + options.kv_cache_memory_bytes + OVERHEAD_BYTES
    return min(1.0, bytes_of_each / platform.get_device_total_memory())


def sleep_of(arguments: Namespace, model: Model) -> dict[str, int]:
    """
    Turns vLLM's sleep mode on where it has one and the options do not turn it off: on GPUs.

    Args:
        arguments: of vLLM's command line; the option is set here.
        model: vLLM's configuration of the model.

    Returns:
        `sleeps`, the bytes of the weights, which the machine's memory has to hold meanwhile; nothing where it cannot.
    """
    try:
        from vllm.platforms import current_platform as platform

        can: Final = (
            platform.is_sleep_mode_available() and getattr(platform, "is_cumem_allocator_available", lambda: True)()
        )
    except (ImportError, AttributeError):
        return {}  # an older vLLM
    allocator: Final = os.environ.get("PYTORCH_ALLOC_CONF", "") + os.environ.get("PYTORCH_CUDA_ALLOC_CONF", "")
    if not can or NO_SLEEP in sys.argv or "expandable_segments:True" in allocator:
        return {}
    weights: Final = _weights(model)
    if weights is None:
        return {}
    arguments.enable_sleep_mode = True
    return {"sleeps": weights}


def has_memory_for(needs: Mapping[str, float]) -> bool:
    """Whether the machine's memory holds the weights of an engine that is to sleep."""
    available: Final = available_bytes()
    return available is not None and needs["sleeps"] * SLACK <= available


def _cache_by_environment() -> int | None:
    text: Final = os.environ.get(KV_SPACE, "")
    if not text:
        return None
    with contextlib.suppress(ValueError):
        size: Final = int(text)
        if size >= 0:
            return size * GIB or None
    return _refuse(f"{KV_SPACE} must be a whole number of GiB, not {text!r}")


def _default_cache(model: Model) -> int | None:
    """A cache for one prompt as long as the model allows, and for many shorter ones."""
    text: Final = model.hf_text_config
    try:
        heads: Final = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
        head: Final = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        token: Final = 2 * text.num_hidden_layers * heads * head * model.dtype.itemsize  # keys and values
        return max(CACHE_BYTES, int(token * model.max_model_len * SLACK))
    except (AttributeError, TypeError):
        return None  # of another kind


def _weights(model: Model) -> int | None:
    """Bytes of a model's weights in memory; None where they are not on this machine yet."""
    folder: Final = _folder(model)
    if folder is None:
        return None
    sizes: Final = (sum(file.stat().st_size for file in folder.glob(pattern)) for pattern in WEIGHTS)
    size: Final = next(filter(None, sizes), None)
    stored: Final = getattr(model.hf_text_config, "dtype", None)
    # Half as wide on disk as in memory, where the options ask for float32.
    wider: Final = getattr(model.dtype, "itemsize", 1) / getattr(
        stored, "itemsize", getattr(model.dtype, "itemsize", 1)
    )
    return None if size is None else int(size * max(1.0, wider))


def _folder(model: Model) -> Path | None:
    if os.path.isdir(model.model):
        return Path(model.model)
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(model.model, revision=model.revision, local_files_only=True))
    except (ImportError, OSError, ValueError):
        return None


def _refuse(reason: str) -> NoReturn:
    sys.exit(f"lexiq_nova: error: {reason}")
