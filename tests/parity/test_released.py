"""What the fork edits in functions that all providers share changes nothing that can be seen: generated calls, made as
`hosted_vllm/…` with the fork and with the release that it was made from, are equal on the wire, in what they return or
raise, and in what is logged, but for the faults that the fork mends (`mended.py`). (That `remodlai/` does the same is
test_parity's.)"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fork.lock import release
from fork.upstream import upstream_wheel
from support.documents import ROOT
from support.loopback import child_env

CASES = 250


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """The release as upstream publishes it, unpacked."""
    with zipfile.ZipFile(upstream_wheel(release())) as wheel:
        wheel.extractall(tmp_path / "released")
    return tmp_path / "released"


def observed(file: Path, *directory: str) -> dict[str, str]:
    command = [sys.executable, "-m", "parity.observer", str(file), str(CASES), *directory]
    # Upstream goes through sets: what their order decides is to be the same in both processes.
    environment = child_env({**os.environ, "PYTHONPATH": str(ROOT / "tests"), "PYTHONHASHSEED": "0"})
    done = subprocess.run(command, cwd=file.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return dict(json.loads(file.read_text()))


def test_the_fork_changes_nothing_for_another_provider(released: Path, tmp_path: Path) -> None:
    fork = observed(tmp_path / "fork")
    upstream = observed(tmp_path / "upstream", str(released))
    both = fork.keys() & upstream.keys()  # Hypothesis draws on constants of the modules that it sees: a few differ
    assert len(both) > 0.8 * len(fork)
    differ = sorted((case for case in both if fork[case] != upstream[case]), key=len)
    shown = [f"{case}\n  upstream: {upstream[case]}\n  fork:     {fork[case]}" for case in differ[:3]]
    assert not differ, f"{len(differ)} of {len(both)} cases differ\n" + "\n".join(shown)
