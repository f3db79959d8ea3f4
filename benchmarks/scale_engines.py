"""
The curve of `benchmarks.scale` for local engines: what a call costs its caller while 1 to 8 engines run, and what the
start of the last of them costs. A server without a model stands where vLLM would, so that only the engine is measured.
"""

import os
import tempfile
import time
from pathlib import Path

from benchmarks.chaos import stand_ins
from benchmarks.worker import settle
from litellm import completion
from litellm.llms.remodlai.__main__ import main as command

NAME, UNIT = "engines", "local engines that run"
SIZES = (1, 2, 4, 8)
CALLS = 32


def asked(model: str) -> None:
    completion(f"lexiq_nova/{model}", messages=[{"role": "user", "content": "Count."}], max_tokens=1)


def measured(rounds: int) -> dict[str, dict[int, list[float]]]:
    """
    Args:
        rounds: how often all engines are started.

    Returns:
        By what is measured and the number of engines: seconds of processor time of CALLS calls, which the engines get
        in turn, and of the call that starts the last of them.
    """
    calls: dict[int, list[float]] = {size: [] for size in SIZES}
    starts: dict[int, list[float]] = {size: [] for size in SIZES}
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as folder:
        os.environ.update({"XDG_RUNTIME_DIR": folder, "LEXIQ_NOVA_MAX_ENGINES": "8", "LEXIQ_NOVA_QUIET": "1"})
        models = stand_ins(Path(folder), [f"model-{number}" for number in range(max(SIZES))])
        for turn in range(-1, rounds):  # the first is for what is made once
            for number, model in enumerate(models, 1):
                settle()
                began = time.process_time()
                asked(model)
                settle()
                if number in SIZES and turn >= 0:
                    starts[number].append(time.process_time() - began)
                if number in SIZES:
                    began = time.process_time()
                    for call in range(CALLS):
                        asked(models[call % number])
                    settle()
                    if turn >= 0:
                        calls[number].append(time.process_time() - began)
            command(["stop"])
    return {f"{CALLS} calls": calls, "starting the last one": starts}
