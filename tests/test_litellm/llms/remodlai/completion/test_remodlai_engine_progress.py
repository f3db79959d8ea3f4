"""What people see while an engine starts: on a terminal, in a notebook, in a pipe, in a program that logs."""

import io
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from litellm.llms.remodlai.engine import progress as progress_module
from litellm.llms.remodlai.engine.download import Download, needed
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.permits import only_deployments
from litellm.llms.remodlai.engine.progress import LOGGER, Progress, how_far, tell, tell_its_end

SAFETENSORS = ["config.json", "tokenizer.json", "1_Pooling/config.json", "model.safetensors"]
COPIES = ["pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "original/consolidated.00.pth", "m-Q4_K_M.gguf"]


class Screen(io.StringIO):
    """What stands for stderr."""

    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("LEXIQ_NOVA_QUIET", raising=False)
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as home:  # short enough for a socket
        monkeypatch.setenv("XDG_RUNTIME_DIR", home)
        yield Engine("some/model", (), sys.executable)


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A pipe, in a program that has not configured logging."""
    screen = Screen(is_terminal=False)
    monkeypatch.setattr(LOGGER, "propagate", False)
    monkeypatch.setattr(LOGGER, "hasHandlers", lambda: False)  # pytest hangs its own on
    # Between a fixture and its test, pytest puts its own stderr in place again.
    monkeypatch.setattr(progress_module, "sys", SimpleNamespace(stderr=screen, modules=sys.modules))
    return screen


def test_a_terminal_has_one_line_that_moves(engine: Engine, stderr: Screen) -> None:
    stderr.is_terminal = True
    with Progress(engine) as progress, Progress(engine) as second:
        progress.show()
        progress.show("starting vLLM")
        second.show("loading weights")
    assert stderr.getvalue() == "\r\033[Klexiq_nova/some/model: starting vLLM (0 s)\r\033[K"


def test_a_pipe_has_a_line_per_stage(engine: Engine, stderr: Screen) -> None:
    with Progress(engine) as progress:
        for words in ("loading weights", "loading weights", "warming up"):
            progress.show(words)
    words = [line.split(": ")[1] for line in stderr.getvalue().splitlines()]
    assert words == ["loading weights (0 s)", "warming up (0 s)", "ready after 0 s"]


def test_the_next_one_tells_when_the_first_goes(engine: Engine, stderr: Screen) -> None:
    with Progress(engine) as second:
        with pytest.raises(TimeoutError), Progress(engine) as first:
            first.show("loading weights")
            second.show("not told")
            raise TimeoutError
        second.show("warming up")
    words = [line.split(": ")[1] for line in stderr.getvalue().splitlines()]
    assert words == ["loading weights (0 s)", "warming up (0 s)", "ready after 0 s"]


def test_a_program_that_logs_gets_records_and_stderr_stays_its_own(
    engine: Engine, stderr: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr.is_terminal = True
    own = Screen(is_terminal=False)
    monkeypatch.setattr(LOGGER, "handlers", [logging.StreamHandler(own)])
    monkeypatch.setattr(LOGGER, "hasHandlers", lambda: True)
    monkeypatch.setattr(LOGGER, "level", logging.INFO)
    monkeypatch.setattr(LOGGER, "_cache", {})
    with Progress(engine) as progress:
        progress.show("loading weights")
    assert own.getvalue().splitlines() == [
        "lexiq_nova/some/model: loading weights (0 s)",
        "lexiq_nova/some/model: ready after 0 s",
    ]
    assert stderr.getvalue() == ""


def test_quiet(engine: Engine, stderr: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_QUIET", "1")
    for stderr.is_terminal in (True, False):
        with Progress(engine) as progress:
            progress.show("loading weights")
        tell(engine, "has ended")
    assert stderr.getvalue() == ""


def test_a_notebook_has_a_display_that_changes(engine: Engine, stderr: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, data: Mapping[str, str], raw: bool) -> None:
            assert raw
            shown.append(data["text/plain"])

    def display(data: Mapping[str, str], raw: bool, display_id: bool) -> Handle:
        assert display_id
        Handle().update(data, raw)
        return Handle()

    kernel = SimpleNamespace(kernel=object())
    ipython = SimpleNamespace(get_ipython=lambda: kernel, display=SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython", ipython)  # type: ignore[arg-type]
    with Progress(engine) as progress:
        progress.show("loading weights")
    assert shown == ["lexiq_nova/some/model: loading weights (0 s)", "lexiq_nova/some/model: ready after 0 s"]
    assert stderr.getvalue() == ""


def test_a_name_cannot_write_to_a_terminal(stderr: Screen, engine: Engine) -> None:
    tell(Engine("a\n\033[2Jlexiq_nova/other: ready", (), ""), "loading")
    assert stderr.getvalue() == "lexiq_nova/a\\n\\x1b[2Jlexiq_nova/other: ready: loading\n"


def test_a_timeout_says_the_stage_and_for_how_long(engine: Engine, stderr: Screen) -> None:
    assert how_far(engine) == "still starting vLLM"
    with Progress(engine) as progress:
        progress.show("loading weights")
        progress.since -= 42
        assert how_far(engine) == "still loading weights, 42 s"


def test_a_proxy_s_log_has_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm.llms.remodlai.engine.permits._serving", [])
    monkeypatch.setattr(LOGGER, "level", logging.NOTSET)
    monkeypatch.setattr(LOGGER, "_cache", {})
    assert not LOGGER.isEnabledFor(logging.INFO)
    only_deployments()
    assert LOGGER.isEnabledFor(logging.INFO)


def test_how_much_of_a_download_is_here(engine: Engine, stderr: Screen, tmp_path: Path) -> None:
    blobs = tmp_path / "hub/models--some--model/blobs"
    blobs.mkdir(parents=True)
    asked: list[str] = []

    def sizes(model: str) -> dict[str, int]:
        asked.append(model)
        return {"model.safetensors": 3 * 2**30}

    with Progress(engine) as progress:
        progress.download = download = Download("some/model", os.environ, sizes)
        assert download.words() is None
        with (blobs / "abc.incomplete").open("wb") as file:
            file.truncate(2**30)
        assert download.words() in ("1.0 GiB", "1.0 of 3.0 GiB")
        while download.total is None:
            time.sleep(0.01)
        progress.show()
        progress.told_at -= progress_module.AGAIN_SECONDS + 1
        progress.show()
        (blobs / "abc.incomplete").rename(blobs / "abc")
        progress.show()
    told = [line.split(": ")[1] for line in stderr.getvalue().splitlines()]
    assert told[:3] == ["downloading 1.0 of 3.0 GiB (0 s)"] * 2 + ["starting vLLM (0 s)"] and len(told) == 4
    assert asked == ["some/model"]


@pytest.mark.parametrize(
    ("names", "quantization", "left_out"),
    [
        (SAFETENSORS + COPIES, "", COPIES),
        ([*SAFETENSORS[:3], *COPIES], "", COPIES[1:]),
        (["config.json", "m-Q4_K_M.gguf", "m-Q8_0.gguf"], "Q8_0", ["m-Q4_K_M.gguf"]),
        (["config.json", "m-Q4_K_M.gguf"], "", []),
    ],
)
def test_what_vllm_needs(names: list[str], quantization: str, left_out: list[str]) -> None:
    assert needed(names, quantization) == [name for name in names if name not in left_out]


@pytest.mark.parametrize(
    ("files", "command", "says"),
    [
        ({"ended.json": '{"why": "it was stopped"}'}, "exit 0", "has ended: it was stopped"),
        ({"socket": ""}, "kill -9 $$", "has ended: SIGKILL"),
        ({"socket": ""}, "exit 3", "has ended: exit status 3"),
        ({}, "exit 3", ""),
    ],
)
def test_the_end_of_an_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str], command: str, says: str
) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(progress_module, "tell", lambda *line: told.append(line))
    engine.folder.mkdir()
    for name, text in files.items():
        (engine.folder / name).write_text(text)
    process = subprocess.Popen(["sh", "-c", command])
    tell_its_end(engine, process).join(10)
    assert told == ([(engine, says)] if says else [])
