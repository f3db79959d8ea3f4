"""
Why an engine ended before it served: in words for whoever set its options, with what to set.
"""

import contextlib
import os
import re
import signal
from collections import defaultdict
from pathlib import Path
from typing import Final

from litellm.llms.remodlai.engine.log import has_error, last_error, stage, tail
from litellm.llms.remodlai.engine.memory import GIB, available_bytes, processes, total_bytes

SERVER: Final = "remodlai/engine/server.py"
LESS_MEMORY: Final = (
    "set a smaller max_model_len, kv_cache_memory_bytes or gpu_memory_utilization in engine_args, or take a smaller or "
    "quantized model"
)

# What vLLM says of an engine process that a signal ended.
_ENDED_CORE: Final = re.compile(r"Failed core proc\(s\): \{[^}]*: -(\d+)")
_WANTS_MEMORY: Final = re.compile("memory", re.IGNORECASE)


def why_it_ended(log: Path, code: int | None) -> tuple[str, int]:
    """
    Says why an engine ended while it was loading.

    Args:
        log: everything that vLLM wrote.
        code: exit code of the engine's process, negative for a signal; None where another process started it.

    Returns:
        The reason and the HTTP status that fits it.
    """
    number: Final = -code if code is not None and code < 0 else _signal_of_core(log)
    if number is None and (has_error(log) or code):
        message, status_code = last_error(log)
        others: Final = engines_of_other_users() if _WANTS_MEMORY.search(message) else ""
        return f"{message}; {others}" if others else message, status_code
    words: Final = stage(log)
    if number is None:
        return f"it ended without a word while {words}", 503
    if number != signal.SIGKILL:
        return f"{_name(number)} ended it while {words}", 503
    parts: Final = (
        f"SIGKILL ended it while {words}, most likely for want of memory{_memory()}",
        engines_of_other_users(),
    )
    return "; ".join([*filter(None, parts), LESS_MEMORY]), 503


def _signal_of_core(log: Path) -> int | None:
    ended: Final = _ENDED_CORE.findall(tail(log))
    return int(ended[-1]) if ended else None


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _memory() -> str:
    available, total = available_bytes(), total_bytes()
    if available is None or total is None:
        return ""
    return f" ({available / GIB:.1f} of {total / GIB:.1f} GiB are free now)"


def engines_of_other_users(folder: Path = Path("/proc")) -> str:
    """
    Names the engines that other users run on this machine: each user sees only their own in the runtime directory.

    Args:
        folder: where the kernel shows them.

    Returns:
        A few words with their process ids and memory; empty where there are none, or none can be seen.
    """
    memory: Final[defaultdict[int, float]] = defaultdict(float)
    owners: Final[dict[int, int]] = {}
    for process in processes(folder):
        if process.owner == os.geteuid():
            continue
        memory[process.group] += process.resident_bytes / GIB
        with contextlib.suppress(OSError):  # it has ended, or is hidden
            command = (folder / str(process.pid) / "cmdline").read_bytes()
            if SERVER.encode() in command and process.pid == process.group:
                owners[process.group] = process.owner
    named: Final = [f"pid {group} of user {owner}, {memory[group]:.1f} GiB" for group, owner in sorted(owners.items())]
    return f"another user's engine is in the way ({'; '.join(named)})" if named else ""
