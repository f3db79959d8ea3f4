"""
What an engine gets of its caller's environment: what vLLM and the libraries below it read, and nothing else.

A caller's environment holds secrets that are none of vLLM's business: a proxy's master key, its database, other
providers' keys.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

# The engine's key: none, since its socket is this user's alone.
_NEVER: Final = frozenset({"VLLM_API_KEY"})
_PASSED: Final = (
    # vLLM, and where it gets models from
    *("VLLM_*", "HF_*", "HUGGINGFACE_*", "HUGGING_FACE_*", "TRANSFORMERS_*", "SENTENCE_TRANSFORMERS_*"),
    *("TOKENIZERS_*", "SAFETENSORS_*", "MODELSCOPE_*", "TIKTOKEN_*"),
    # what computes
    *("TORCH*", "PYTORCH_*", "TRITON_*", "FLASHINFER_*", "XLA_*", "NUMBA_*"),
    *("CUDA_*", "CUBLAS_*", "CUDNN_*", "NVIDIA_*", "HIP_*", "ROCR_*", "ROCM_*", "HSA_*", "GPU_*", "AMD_*", "MIOPEN_*"),
    *("ONEAPI_*", "SYCL_*", "ZE_*", "HABANA_*", "TPU_*", "NEURON_*", "ASCEND_*"),
    *("OMP_*", "GOMP_*", "KMP_*", "MKL_*", "OPENBLAS_*", "MALLOC_*"),
    # how several processes and machines talk
    *("NCCL_*", "RCCL_*", "GLOO_*", "UCX_*", "CCL_*", "RAY_*"),
    # the system
    *("PATH", "LD_*", "DYLD_*", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TMP", "TEMP", "XDG_*"),
    *("LANG", "LANGUAGE", "LC_*", "TZ", "*_proxy", "*_PROXY", "SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("PYTHON*", "VIRTUAL_ENV", "CONDA_PREFIX"),
    # the compiler, for kernels that are made on first use
    *("CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CPATH", "LIBRARY_PATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH"),
)
# What makes another engine of the same model and options: what vLLM does, and on which devices.
_DECISIVE_PREFIX: Final = "VLLM_"
_DECISIVE_SUFFIX: Final = "_VISIBLE_DEVICES"
_DECISIVE: Final = frozenset({"CUDA_DEVICE_ORDER", "ZE_AFFINITY_MASK"})
# Of these, what says how the engine talks, logs or is reached.
_INDIFFERENT: Final = (
    *("VLLM_API_KEY", "VLLM_RPC_BASE_PATH", "VLLM_SKIP_MODEL_NAME_VALIDATION", "VLLM_HTTP_TIMEOUT_KEEP_ALIVE"),
    *("VLLM_NO_USAGE_STATS", "VLLM_DO_NOT_TRACK", "VLLM_USAGE_", "VLLM_LOGGING_", "VLLM_CONFIGURE_LOGGING"),
)


def decisive(environment: Mapping[str, str]) -> dict[str, str]:
    """
    The part of an environment that an engine is known by, beside its model and options.

    Args:
        environment: the caller's.

    Returns:
        Variables by name, sorted.
    """
    names: Final = (
        name
        for name in environment
        if name.startswith(_DECISIVE_PREFIX) or name.endswith(_DECISIVE_SUFFIX) or name in _DECISIVE
    )
    return {name: environment[name] for name in sorted(names) if not name.startswith(_INDIFFERENT)}


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """
    The part of an environment that an engine gets.

    Args:
        environment: the caller's. Its `LEXIQ_NOVA_ENGINE_ENV` may list more names or globs, with commas between them.

    Returns:
        Variables by name.
    """
    more: Final = (pattern.strip() for pattern in environment.get("LEXIQ_NOVA_ENGINE_ENV", "").split(","))
    patterns: Final = (*_PASSED, *more)
    return {
        name: value
        for name, value in environment.items()
        if name not in _NEVER and any(fnmatchcase(name, pattern) for pattern in patterns)
    }
