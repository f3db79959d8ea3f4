"""A machine's worth of local engines for the tests: a runtime directory of their own, and none left behind."""

import os
import tempfile
from collections.abc import Iterator

import pytest

from litellm.llms.remodlai.__main__ import main as command


@pytest.fixture(scope="session", autouse=True)
def machine() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        for name in [name for name in os.environ if name.startswith(("LEXIQ_NOVA_", "REMODLAI_"))]:
            patch.delenv(name)
        yield
        command(["stop"])
