"""Callers, engines and workers are killed at random: every call is answered or refused clearly, nothing is left."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("calls", "options"), [(60, ["--stand-in"]), (16, [])], ids=["stand-in", "vLLM"])
def test_every_call_is_answered_or_refused_and_nothing_is_left(calls: int, options: list[str]) -> None:
    seed = os.environ.get("CHAOS_SEED", str(random.SystemRandom().randrange(10**6)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])}
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", "--calls", str(calls), "--seed", seed, *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, run.stdout
    assert f"seed {seed}" in run.stdout and "left running: nothing" in run.stdout
