"""A machine for local engines whose vLLM is the stand-in of `fake_vllm.py`."""

import os
import runpy
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm.llms.remodlai.command.engines import stop

HERE = Path(__file__).parent


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory of its own, an interpreter whose vLLM is the stand-in, and no engine left behind."""
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as name:
        home = Path(name)
        runpy.run_path(str(HERE / "fake_vllm.py"))["install"](home / "site")
        paths = [str(home / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")  # a model of the stand-in may have any name
        monkeypatch.setenv("LEXIQ_NOVA_PYTHON", sys.executable)
        monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "8")
        monkeypatch.syspath_prepend(str(home / "site"))
        yield home
        stop(None)
