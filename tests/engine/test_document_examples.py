"""The documents' examples that a small model can answer, against real vLLM servers (see support/documents.py)."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.dashboard import expressions, missing
from support.documents import DOCUMENTS, HOSTED, KEY, Block, Reader, sections
from support.models import model_dir
from support.vllm_server import VLLMServer

LOCAL_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
# The documents' models; each server has one.
MODELS = ("llama-3.1-70b-instruct", "nova-embeddings", "nova-rerank", "whisper-large-v3")
PROVIDERS = ("remodlai", "hosted_vllm")


@dataclass(frozen=True)
class Real:
    """One real server; with None, no server at all: the local engine."""

    server: VLLMServer | None

    def of(self, block: Block) -> Mapping[str, str]:
        if self.server is None:
            return {LOCAL_MODEL: str(model_dir("smollm2"))}
        names = {f"{provider}/{name}": f"{provider}/{self.server.model}" for name in MODELS for provider in PROVIDERS}
        return {HOSTED: self.server.base, KEY: self.server.key, **names}

    def environment(self, block: Block) -> Mapping[str, str]:
        if self.server is None:
            return {}
        return {"REMODLAI_API_BASE": self.server.base, "REMODLAI_API_KEY": self.server.key}

    def reached(self) -> int:
        return -1


def examples(kind: str) -> pytest.MarkDecorator:
    """The sections with blocks that a server of this kind can answer."""
    found = [
        pytest.param(
            [block for block in section if block.options.get("server") == kind], id=f"{Path(name).stem}-{title}"
        )
        for name in DOCUMENTS
        for title, section in sections(name).items()
        if any(block.options.get("server") == kind for block in section)
    ]
    assert found, f"no example for {kind}"
    return pytest.mark.parametrize("found", found)


def run(found: list[Block], server: VLLMServer | None, directory: Path) -> None:
    with Reader(Real(server), directory) as reader:
        for block in found:
            reader.read(block)


@examples("chat")
def test_chat(found: list[Block], chat_server: VLLMServer, tmp_path: Path) -> None:
    run(found, chat_server, tmp_path)


@examples("embedding")
def test_embedding(found: list[Block], embedding_server: VLLMServer, tmp_path: Path) -> None:
    run(found, embedding_server, tmp_path)


@examples("rerank")
def test_rerank(found: list[Block], rerank_server: VLLMServer, tmp_path: Path) -> None:
    run(found, rerank_server, tmp_path)


@examples("whisper")
def test_transcription(found: list[Block], whisper_server: VLLMServer, tmp_path: Path) -> None:
    subprocess.run(["espeak-ng", "-w", tmp_path / "speech.wav", "Good morning everyone."], check=True)
    run(found, whisper_server, tmp_path)


@pytest.fixture(scope="module")
def own_engines() -> Iterator[None]:
    """Engines of these tests only, stopped afterwards; kept from one test to the next."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="lxn") as runtime:
        os.chmod(runtime, 0o700)
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        # The examples set no limit, and a model this small may not find an end.
        options = {"enforce_eager": True, "max_model_len": 2048, "override_generation_config": {"max_new_tokens": 64}}
        patch.setenv("LEXIQ_NOVA_ENGINE_ARGS", json.dumps(options))
        for name in ("REMODLAI_API_BASE", "LEXIQ_NOVA_API_BASE"):
            patch.delenv(name, raising=False)
        yield
        subprocess.run([sys.executable, "-m", "litellm.llms.remodlai", "stop"], check=True)


@examples("local")
def test_local(found: list[Block], own_engines: None, tmp_path: Path) -> None:
    run(found, None, tmp_path)


def test_the_dashboard_shows_what_vllm_exports(chat_server: VLLMServer) -> None:
    assert len(expressions("vllm:")) >= 9
    assert not missing(chat_server.get("/metrics").text, "vllm:")
