"""
What the log of a starting engine tells its callers: how far it has come, and why it failed.

vLLM promises nothing about its log, so everything here degrades to less detail, never to an error.
"""

import re
from pathlib import Path
from typing import Final

from litellm.llms.remodlai.engine.errors import without_engine

TAIL_BYTES: Final = 256 * 1024

# The last of these that the log mentions is how far the engine has come.
STAGES: Final = (
    ("", "starting vLLM"),
    ("Resolved architecture", "checking model and options"),
    ("Initializing a V1 LLM engine", "starting the engine's processes"),
    ("Starting to load model", "loading weights"),
    ("Loading weights took", "warming up"),
    ("for vLLM's torch.compile", "compiling"),
    ("torch.compile took", "warming up"),
    ("Capturing CUDA graphs", "capturing CUDA graphs"),
    ("Supported tasks", "starting the server"),
)

_PREFIX: Final = re.compile(r"^(\([^()]+ pid=\d+\) ?)?((ERROR|INFO|WARNING) [\d-]+ [\d:.]+ \[[^\]]*\] ?)?")
_ERROR: Final = re.compile(r"^((\w+\.)*\w*(Error|Exception|Interrupt)(:|$)|[\w.-]+: error: | +Value error, )")
# What vLLM says in the parent about an error that a worker has already explained.
_ECHO: Final = re.compile(r"See root cause above|EngineDeadError|^KeyboardInterrupt|WorkerProc initialization failed")
_STATUS_CODES: Final = (
    (re.compile("No module named 'vllm'"), 400),
    (re.compile("error: |Value error"), 400),
    (re.compile("Repository ?Not ?Found|EntryNotFound|Invalid repository ID|is not a valid model identifier"), 404),
)


def tail(log: Path) -> str:
    """Returns the end of a log; nothing where there is none."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def stage(log: Path) -> str:
    """Returns in a few words what the starting engine is doing."""
    text: Final = tail(log)
    return next(words for mark, words in reversed(STAGES) if mark in text)


def has_error(log: Path) -> bool:
    """Whether a log says why its engine ended."""
    return any(_ERROR.match(_PREFIX.sub("", line)) for line in tail(log).splitlines())


def last_error(log: Path) -> tuple[str, int]:
    """
    Why an engine ended.

    Args:
        log: everything that vLLM wrote.

    Returns:
        vLLM's own last error line (of several processes' lines the one that is no mere echo), and the HTTP status
        that fits it.
    """
    lines: Final = [_PREFIX.sub("", line).rstrip() for line in tail(log).splitlines()]
    errors: Final = [line.strip() for line in lines if _ERROR.match(line)]
    told: Final = [line for line in errors if not _ECHO.search(line)]
    last: Final = next((line for line in reversed(lines) if line), "it was killed before it wrote a line")
    line: Final = (told or errors or [last])[-1]
    if "No module named 'vllm'" in line:
        return without_engine("lexiq_nova"), 400
    return line, next((code for pattern, code in reversed(_STATUS_CODES) if pattern.search(line)), 503)
