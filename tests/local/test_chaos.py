"""
Callers, engines and workers are killed at random: every call is answered or refused clearly, nothing is left.

The engines are stand-ins. `make chaos` does it with more calls, and with vLLM.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CALLS = "60"
SEED = "7"


def test_every_call_is_answered_or_refused_and_nothing_is_left() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])}
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", "--calls", CALLS, "--seed", SEED, "--stand-in"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, run.stdout
    assert "left running: nothing" in run.stdout
