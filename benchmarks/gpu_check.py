"""
What the local engine does on GPUs, shown on one: models beside each other, on different devices, in turns, over two.

Run as `PYTHONPATH=tests python -m benchmarks.gpu_check [MODEL MODEL]`: two directories or ids of small chat models, by
default those of the tests. A part that this machine has too few GPUs for is skipped and says so. Without any GPU, the
steps run with a server without a model in vLLM's place (`--stand-in GPUS`), which shows the scheduling, no speed.
"""

import argparse
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import litellm
from benchmarks import engine as speed
from litellm.llms.remodlai.command.engines import stop
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.runtime import ask, wait

STAND_IN = Path(__file__).parents[1] / "tests/test_litellm/llms/remodlai/completion/fake_vllm.py"
MESSAGES = [{"role": "user", "content": "Count."}]
STAND_IN_GPUS = 2
SWAPS = 3
# Until an engine gives its place away at once.
FREE_SECONDS = 1.5
BY_STAND_IN = " (by the stand-in; on GPUs skipped for want of one)"
Models = tuple[str, str]


def call(model: str, **options: Any) -> float:
    """Makes a call; returns how long it took."""
    return speed.seconds(
        lambda: litellm.completion(f"lexiq_nova/{model}", MESSAGES, max_tokens=8, engine_args=options, timeout=1800)
    )


def look(model: str, **options: Any) -> dict[str, Any]:
    """What an engine says of itself; nothing where it is not there."""
    return wait(ask(Engine.of(model, options).folder, "status")) or {}


def require(is_so: bool, what: str) -> None:
    if not is_so:
        raise AssertionError(what)


def are_up(*engines: tuple[str, dict[str, Any]]) -> str:
    """Calls each engine twice; passes if the calls of the second round find those of the first."""
    for model, options in engines:
        call(model, **options)
    before = [look(model, **options).get("pid") for model, options in engines]
    seconds = [call(model, **options) for model, options in engines]
    after = [look(model, **options).get("pid") for model, options in engines]
    require(None not in before and before == after, f"they did not stay up: {before}, {after}")
    return f"up together, {', '.join(f'{each:.2f} s' for each in seconds)} a call"


def two_on_one(models: Models) -> str:
    one, two = models
    share = {"device_ids": [0], "gpu_memory_utilization": 0.4}
    return are_up((one, share), (two, share))


def one_on_each(models: Models) -> str:
    one, two = models
    return are_up((one, {"device_ids": [0]}), (two, {"device_ids": [1]}))


def over_two(models: Models) -> str:
    options = {"tensor_parallel_size": 2}
    told = are_up((models[0], options))
    needs = look(models[0], **options)["needs"]
    require(len(needs) == 2, f"it needs {needs}")
    return told


def in_turns(models: Models) -> str:
    """Each takes nearly all of the device: one has to go for the other, and sleeps where it can."""
    options = {"device_ids": [0]}
    cold = [call(model, **options) for model in models if not time.sleep(FREE_SECONDS)]
    states = [look(model, **options).get("state", "ended") for model in models]
    require(states[0] in ("sleeping", "ended") and states[1] == "ready", f"they are {states}")
    swaps = []
    for _ in range(SWAPS):
        for model in models:
            time.sleep(FREE_SECONDS)
            swaps.append(call(model, **options))
    swap, start = statistics.median(swaps), statistics.median(cold)
    return f"{states[0]} while the other runs; a swap takes {swap:.2f} s, a cold start {start:.2f} s"


def speeds(_: Models) -> str:
    """First token and throughput, as `make bench-engine` has them."""
    told = []
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as folder:
        for name, (measure, _goal) in speed.MEASUREMENTS.items():
            if name != "cold-start":
                told.append(speed.told(name, measure(str(speed.model_dir("smollm2")), Path(folder))))
    return "; ".join(told)


# How many GPUs each part needs, and whether it says something without a model.
PARTS: dict[str, tuple[Callable[[Models], str], int, bool]] = {
    "two models on one GPU": (two_on_one, 1, True),
    "two models on two GPUs": (one_on_each, 2, True),
    "one model over two GPUs": (over_two, 2, True),
    "two models in turns on one GPU": (in_turns, 1, True),
    "first token and throughput": (speeds, 1, False),
}


def count_gpus() -> int:
    python = os.environ.get("LEXIQ_NOVA_PYTHON") or sys.executable
    line = [python, "-c", "import torch; print(torch.cuda.device_count())"]
    counted = subprocess.run(line, capture_output=True, text=True).stdout.split()
    return int(counted[-1]) if counted else 0


def put_stand_in(folder: Path, gpus: int) -> Models:
    """Puts a server without a model in vLLM's place; returns two models for it."""
    runpy.run_path(str(STAND_IN))["install"](folder / "site")
    paths = [str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ.update({"PYTHONPATH": os.pathsep.join(paths), "LEXIQ_NOVA_PYTHON": sys.executable})
    os.environ["VLLM_STAND_IN_GPUS"] = str(gpus)
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}")
        (folder / name / "model.safetensors").write_bytes(b"weights")
    return str(folder / "one"), str(folder / "two")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def check(models: Models, gpus: int, is_stand_in: bool) -> int:
    """
    Runs the parts that this machine has GPUs for.

    Returns:
        How many failed.
    """
    failed = 0
    for name, (part, needed, without_model) in PARTS.items():
        if gpus < needed:
            say(f"{name}: skipped, it needs {needed} GPUs and there are {gpus}")
            continue
        if is_stand_in and not without_model:
            say(f"{name}: skipped for want of a GPU")
            continue
        try:
            say(f"{name}: {part(models)}{BY_STAND_IN if is_stand_in else ''}")
        except Exception as error:  # noqa: BLE001  # the parts that follow are checked too
            failed += 1
            say(f"{name}: FAILED, {type(error).__name__}: {error}")
        stop(None)
    return failed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_check", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="two chat models")
    parser.add_argument("--stand-in", type=int, metavar="GPUS", help="as many GPUs, of a server without a model")
    parsed = parser.parse_args(arguments)
    if len(parsed.models) not in (0, 2):
        parser.error("name two models, or none")
    gpus = parsed.stand_in if parsed.stand_in is not None else count_gpus()
    is_stand_in = parsed.stand_in is not None or not gpus
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as folder:
        os.environ.update({"XDG_RUNTIME_DIR": folder, "LEXIQ_NOVA_QUIET": "1"})
        os.environ.pop("LEXIQ_NOVA_MAX_ENGINES", None)
        if is_stand_in:
            gpus = gpus or STAND_IN_GPUS
            say(f"No GPU is used here: a stand-in plays {gpus}; it shows who is up when, and no speed.")
            models = put_stand_in(Path(folder), gpus)
        else:
            from support.models import model_dir

            one, two = parsed.models or (str(model_dir("smollm2")), str(model_dir("tiny-chat")))
            models = (one, two)
        return min(1, check(models, gpus, is_stand_in))


if __name__ == "__main__":
    sys.exit(main())
