"""The check for GPUs runs without one: a stand-in plays them, and it says so of each part."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("gpus", [1, 2])
def test_the_parts_that_these_gpus_allow_pass(gpus: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])}
    environment.pop("LEXIQ_NOVA_ENGINE_ARGS", None)
    line = [sys.executable, "-m", "benchmarks.gpu_check", "--stand-in", str(gpus)]
    run = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    said = {name: words for name, _, words in (line.partition(": ") for line in run.stdout.splitlines()) if words}
    assert run.returncode == 0, run.stdout + run.stderr
    assert said["two models on one GPU"].startswith("up together")
    assert said["two models in turns on one GPU"].startswith("sleeping while the other runs")
    two = ("skipped, it needs 2 GPUs" if gpus == 1 else "up together",) * 2
    assert said["two models on two GPUs"].startswith(two[0]) and said["one model over two GPUs"].startswith(two[1])
    assert said["first token and throughput"] == "skipped for want of a GPU"
    assert all("for want of" in words or "needs 2 GPUs" in words for words in [*said.values()][1:])
