"""A machine's worth of local engines for the tests: a runtime directory of their own, and none left behind."""

import os
import tempfile
from collections.abc import Iterator

import pytest

from litellm.llms.remodlai.__main__ import main as command


@pytest.fixture(scope="session", autouse=True)
def machine() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as folder, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("LEXIQ_NOVA_", "REMODLAI_"))]:
            patch.delenv(name)
        patch.setenv("XDG_RUNTIME_DIR", folder)
        patch.setenv("HF_HUB_OFFLINE", "1")
        # What all engines here have in common: little memory, and a start without compiling.
        patch.delenv("VLLM_CPU_KVCACHE_SPACE", raising=False)
        patch.setenv("LEXIQ_NOVA_ENGINE_ARGS", f"--kv-cache-memory-bytes {2**30} --enforce-eager")
        # One process less, whose start costs ten seconds; what else an engine does, it does as always.
        patch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        yield
        command(["stop"])
