"""Every block of the documents runs: against servers on loopback that answer like Lexiq Nova, and a real proxy.

The same blocks run against real vLLM servers in tests/engine, where a small model can answer them.
"""

import math
import shutil
import struct
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support.documents import DOCUMENTS, HOSTED, KEY, ROOT, RUNNING, Block, Reader, blocks, sections
from support.nova import answer
from support.recording import RecordingServer

# Installations that the documents show, by the test of tests/fork/test_install.py that runs each.
INSTALLS = {
    "pip install .": "test_pip_install_from_nothing_and_again_without_index",
    "pip install -e .": "test_pip_install_editable",
    "uv pip install .": "test_uv_pip_install",
}
SECTIONS = [(document, section) for document in DOCUMENTS for section in sections(document)]


class FakeServers:
    """Two recording servers, hosted (asks for the key) and local (does not)."""

    def __init__(self) -> None:
        self.hosted = RecordingServer(lambda request: answer(request, KEY)).start()
        self.local = RecordingServer(lambda request: answer(request, None)).start()

    def of(self, block: Block) -> Mapping[str, str]:
        return {HOSTED: self.hosted.url, RUNNING: self.local.url}

    def environment(self, block: Block) -> Mapping[str, str]:
        return {"LEXIQ_NOVA_API_BASE": self.local.url} if block.options.get("server") == "local" else {}

    def reached(self) -> int:
        return len(self.hosted.take()) + len(self.local.take())

    def stop(self) -> None:
        self.hosted.stop()
        self.local.stop()


@pytest.fixture(scope="module")
def servers() -> Iterator[FakeServers]:
    fakes = FakeServers()
    yield fakes
    fakes.stop()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a section runs, with the file that the documents open."""
    with wave.open(str(tmp_path / "speech.wav"), "wb") as tone:
        tone.setparams((1, 2, 16_000, 0, "NONE", ""))
        tone.writeframes(b"".join(struct.pack("<h", int(9_000 * math.sin(i / 6))) for i in range(16_000)))
    return tmp_path


@pytest.mark.parametrize(("document", "section"), SECTIONS, ids=lambda part: part.rpartition("/")[2])
def test_section(servers: FakeServers, directory: Path, document: str, section: str) -> None:
    found = sections(document)[section]
    if any("curl " in block.text for block in found) and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with Reader(servers, directory, frozenset(INSTALLS)) as reader:
        for block in found:
            reader.read(block)


def test_the_only_blocks_that_do_not_run() -> None:
    not_run = [block for name in DOCUMENTS for block in blocks(name) if "not-run" in block.options]
    a_pin, *on_two_machines = not_run
    assert (a_pin.document, a_pin.text.split()[:4]) == ("README.md", ["python", "-m", "fork", "pin"])
    assert len(on_two_machines) == 2 and all("ray start" in block.text for block in on_two_machines)


def test_every_block_is_of_a_language_that_runs() -> None:
    found = {block.language for name in DOCUMENTS for block in blocks(name)}
    assert found <= {"python", "bash", "yaml", "text"}


@pytest.mark.parametrize("test", INSTALLS.values())
def test_installations_are_tested(test: str) -> None:
    assert f"def {test}(" in (ROOT / "tests/fork/test_install.py").read_text()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text()
    targets = [part.split(")")[0] for part in text.split("](")[1:]]
    for target in targets:
        if not target.startswith(("http", "#")):
            assert (ROOT / document).parent.joinpath(target).exists(), target
