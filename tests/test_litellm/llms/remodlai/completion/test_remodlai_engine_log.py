"""What callers are told from an engine's log: the stage while it loads, the reason when it fails."""

from pathlib import Path

import pytest

from litellm.llms.remodlai.engine.log import last_error, stage

ECHO = "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
WORKER = "(Worker pid=7) ERROR 11-22 13:25:25 [multiproc_executor.py:1063]"


@pytest.mark.parametrize(
    ("lines", "message", "status_code"),
    [
        (["usage: vllm [-h]", "vllm: error: unrecognized arguments: --x"], "unrecognized arguments: --x", 400),
        ([f"{WORKER} ValueError: no memory", "Traceback", ECHO], "ValueError: no memory", 503),
        (
            ["pydantic_core.ValidationError: 1 error", "  Value error, Invalid repository ID: 'x'.", " [type=v]"],
            "Value error, Invalid repository ID: 'x'.",
            404,
        ),
        (["Value error, User-specified max_model_len (9) is greater"], "max_model_len (9)", 400),
        (["huggingface_hub.errors.LocalEntryNotFoundError: Cannot find"], "LocalEntryNotFoundError: Cannot find", 404),
        (["ModuleNotFoundError: No module named 'vllm'"], "vllm is not installed", 400),
        (["INFO starting", ""], "INFO starting", 503),
        ([], "it was killed before it wrote a line", 503),
    ],
)
def test_last_error(lines: list[str], message: str, status_code: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(lines))
    told, code = last_error(log)
    assert message in told and code == status_code


def test_stage(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert stage(log) == "starting vLLM"
    log.write_text("INFO Starting to load model /m...\n")
    assert stage(log) == "loading weights"
    log.write_text("INFO Starting to load model /m...\nINFO Loading weights took 0.01 seconds\n")
    assert stage(log) == "warming up"
    log.write_text("INFO Using cache directory: /c for vLLM's torch.compile\n")
    assert stage(log) == "compiling"
