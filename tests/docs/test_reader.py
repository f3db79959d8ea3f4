"""The reader of the documents notices what is wrong in them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from support.documents import HOSTED, KEY, Block, Reader
from support.nova import answer
from support.recording import RecordingServer

CALL = """
import litellm

litellm.completion(
    model="remodlai/m", messages=[{"role": "user", "content": "Hello"}], api_base="https://api.lexiq-nova.com",
    api_key="sk-your-key", max_retries=0,
)
"""
WRONG = {
    "another path": ("python", CALL.replace("lexiq-nova.com", "lexiq-nova.com/v2"), {}),
    "the wrong key": ("python", CALL.replace("sk-your-key", "sk-another"), {}),
    "a prefix too many": ("python", CALL.replace("remodlai/m", "remodlai/remodlai/m"), {}),
    "no such name": ("python", "import litellm\nlitellm.complete()", {}),
    "no call": ("python", "import litellm", {}),
    "a call where none is said to be": ("python", CALL, {"offline": ""}),
    "no such target": ("bash", "make no-such-target", {}),
    "no such tests": ("bash", "pytest tests/no_such_directory", {}),
    "an untested installation": ("bash", "pip install something", {}),
    "a failing command": ("bash", "false\ntrue", {}),
    "an unknown provider": (
        "yaml",
        "model_list: [{model_name: a, litellm_params: {model: x/m}}]",
        {"title": "a"},
    ),
    "not YAML": ("yaml", "a: [", {"title": "a"}),
}


class Hosted:
    """One server that answers like Lexiq Nova."""

    def __init__(self, server: RecordingServer) -> None:
        self.server = server

    def of(self, block: Block) -> Mapping[str, str]:
        return {HOSTED: self.server.url}

    def environment(self, block: Block) -> Mapping[str, str]:
        return {}

    def reached(self) -> int:
        return len(self.server.take())


def read(directory: Path, language: str, text: str, options: Mapping[str, str]) -> None:
    with RecordingServer(lambda request: answer(request, KEY)) as server, Reader(Hosted(server), directory) as reader:
        reader.read(Block("document.md", "section", 1, language, options, text))


def test_what_is_right_passes(tmp_path: Path) -> None:
    read(tmp_path, "python", CALL, {})


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_fails(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(Exception):  # noqa: B017  # each in its own way
        read(tmp_path, *WRONG[wrong])
