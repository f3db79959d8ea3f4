"""Transcription of the hosted provider against a real vLLM that serves Whisper tiny.en with its real weights.

The speech is made by espeak-ng, which must be installed (`apt-get install espeak-ng`).
"""

import subprocess
from pathlib import Path

import openai
import pytest
from engine.hosted import to

import litellm
from support.vllm_server import VLLMServer

SENTENCE = "Good morning everyone. The meeting starts on Monday at ten o'clock."
KEY_WORDS = ("morning", "meeting", "Monday")


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WAV file of SENTENCE."""
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "140", "-w", str(path), SENTENCE], check=True)
    return path


@pytest.mark.parametrize("path", ["/v1", ""])
def test_the_words_are_heard(whisper_server: VLLMServer, speech: Path, path: str) -> None:
    with speech.open("rb") as file:
        response = litellm.transcription(file=file, language="en", temperature=0, **to(whisper_server, path))

    assert all(word in response.text for word in KEY_WORDS), response.text


async def test_async_from_bytes(whisper_server: VLLMServer, speech: Path) -> None:
    response = await litellm.atranscription(
        file=("speech.wav", speech.read_bytes(), "audio/wav"), language="en", temperature=0, **to(whisper_server)
    )

    assert all(word in response.text for word in KEY_WORDS), response.text


def test_verbose_json_has_segments(whisper_server: VLLMServer, speech: Path) -> None:
    with speech.open("rb") as file:
        response = litellm.transcription(
            file=file, language="en", temperature=0, response_format="verbose_json", **to(whisper_server)
        )

    assert "meeting" in response.text
    assert float(response.duration) > 3
    assert response.segments


# LiteLLM hands the openai client's exceptions of a transcription through; its own classes derive from them.
def test_wrong_key(whisper_server: VLLMServer, speech: Path) -> None:
    with speech.open("rb") as file, pytest.raises(openai.AuthenticationError) as caught:
        litellm.transcription(file=file, **{**to(whisper_server), "api_key": "sk-wrong-4711"})

    assert "sk-wrong-4711" not in str(caught.value)


def test_not_audio(whisper_server: VLLMServer) -> None:
    with pytest.raises(openai.BadRequestError):
        litellm.transcription(file=("speech.wav", b"this is no sound", "audio/wav"), **to(whisper_server))
