"""Every block of the documents runs: against servers on loopback that answer like Lexiq Nova, and a real proxy.

The same blocks run against real vLLM servers in tests/engine, where a small model can answer them.
"""

import math
import re
import shutil
import struct
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.documents import DOCUMENTS, HOSTED, KEY, ROOT, RUNNING, SECURE, Block, Reader, blocks, sections
from support.nova import answer
from support.recording import RecordingServer
from support.tls import authority

# Installations that the documents show, by the test of tests/fork/test_install.py that runs each.
INSTALLS = {
    "pip install .": "test_pip_install_from_nothing_and_again_without_index",
    "pip install -e .": "test_pip_install_editable",
    "uv pip install .": "test_uv_pip_install",
}
SECTIONS = [(document, section) for document in DOCUMENTS for section in sections(document)]


class FakeServers:
    """Recording servers: hosted (asks for the key), local (does not), and hosted with a company's certificate."""

    def __init__(self, directory: Path) -> None:
        self.authority, tls = authority(directory)
        self.hosted = RecordingServer(lambda request: answer(request, KEY)).start()
        self.local = RecordingServer(lambda request: answer(request, None)).start()
        self.secure = RecordingServer(lambda request: answer(request, KEY), tls).start()

    def of(self, block: Block) -> Mapping[str, str]:
        return {HOSTED: self.hosted.url, RUNNING: self.local.url, SECURE: self.secure.url}

    def environment(self, block: Block) -> Mapping[str, str]:
        return {"LEXIQ_NOVA_API_BASE": self.local.url} if block.options.get("server") == "local" else {}

    def reached(self) -> int:
        return sum(len(server.take()) for server in (self.hosted, self.local, self.secure))

    def stop(self) -> None:
        self.hosted.stop()
        self.local.stop()
        self.secure.stop()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeServers]:
    fakes = FakeServers(tmp_path_factory.mktemp("authority"))
    yield fakes
    fakes.stop()


@pytest.fixture
def directory(servers: FakeServers, tmp_path: Path) -> Path:
    """Where a section runs, with the files that the documents open."""
    shutil.copy(servers.authority, tmp_path)
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
    reasons = {
        "python -m fork check": "takes minutes; tests/fork tests it on a small release",
        'echo "litellm @ git+': "needs the repository's address",
        "VLLM_HOST_IP=10.0.0.1 ray start": "needs two machines",
        "vllm serve meta-llama/Llama-3.1-8B-Instruct": "needs a GPU and an adapter",
        "curl http://localhost:4000/key/generate": "needs a database",
        "lexiq-nova run": "starts vLLM; tests/local/test_command.py does the same",
        "lexiq-nova serve": "starts vLLM; tests/local/test_command.py does the same",
    }
    for block in not_run:
        [reason] = [reason for start, reason in reasons.items() if block.text.startswith(start)]
        assert block.options["not-run"] == reason, block.where


def test_every_block_is_of_a_language_that_runs() -> None:
    found = {block.language for name in DOCUMENTS for block in blocks(name)}
    assert found <= {"python", "bash", "yaml", "toml", "text"}


@pytest.mark.parametrize("test", INSTALLS.values())
def test_installations_are_tested(test: str) -> None:
    assert f"def {test}(" in (ROOT / "tests/fork/test_install.py").read_text()


def test_the_picture_is_drawn_from_its_source() -> None:
    labels = re.findall(r'\blabel="([^"]*)"', (ROOT / "docs/call.dot").read_text())
    drawn = ElementTree.parse(ROOT / "docs/call.svg").iterfind(".//{http://www.w3.org/2000/svg}text")
    assert sorted(line for label in labels for line in label.split("\\n")) == sorted(str(text.text) for text in drawn)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text()
    targets = [part.split(")")[0] for part in text.split("](")[1:]]
    for target in targets:
        if not target.startswith(("http", "#")):
            assert (ROOT / document).parent.joinpath(target.partition("#")[0]).exists(), target
