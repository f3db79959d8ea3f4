"""hosted_vllm's transcription class has no name on the package to twin."""

from __future__ import annotations

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="remodlai")


REGISTRY = "litellm/_lazy_imports_registry.py"


@EDIT.element(REGISTRY, "LLM_CONFIG_NAMES", beside="HostedVLLMEmbeddingConfig", releases="<1.110")
def names() -> object:
    return (
        "HostedLexiqNovaAudioTranscriptionConfig",
        "LexiqNovaAudioTranscriptionConfig",
    )


@EDIT.element(REGISTRY, "_LLM_CONFIGS_IMPORT_MAP", beside="HostedVLLMEmbeddingConfig", releases="<1.110")
@EDIT.element(REGISTRY, "LITELLM_ATTRIBUTES", beside="HostedVLLMEmbeddingConfig", releases=">=1.110")
def modules() -> object:
    return {
        "HostedLexiqNovaAudioTranscriptionConfig": (
            ".llms.remodlai.transcriptions.transformation",
            "HostedLexiqNovaAudioTranscriptionConfig",
        ),
        "LexiqNovaAudioTranscriptionConfig": (
            ".llms.remodlai.transcriptions.transformation",
            "LexiqNovaAudioTranscriptionConfig",
        ),
    }
