"""
Embeddings of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity. Pictures may be given as bytes.

What else the Nova embedding models take is described in README.md beside this file; upstream passes it on untouched.
"""

import base64
from typing import Any, Final

from litellm.constants import DEFAULT_MAX_RECURSE_DEPTH
from litellm.types.llms.openai import AllEmbeddingInputValues

from ...hosted_vllm.embedding.transformation import HostedVLLMEmbeddingConfig
from ..common_utils import HostedLexiqNova, LexiqNova
from ..errors import LexiqNovaError
from .floats import Base64Batches
from .vectors import SoundVectors


def _sendable(value: object, depth: int = 0) -> object:
    """Bytes, at any depth, as base64 text: JSON has no bytes."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if depth > DEFAULT_MAX_RECURSE_DEPTH:
        raise LexiqNovaError(status_code=400, message="the input is nested too deeply; nothing was sent")
    if isinstance(value, dict):
        return {key: _sendable(item, depth + 1) for key, item in value.items()}
    return [_sendable(item, depth + 1) for item in value] if isinstance(value, list | tuple) else value


class HostedLexiqNovaEmbeddingConfig(Base64Batches, SoundVectors, HostedLexiqNova, HostedVLLMEmbeddingConfig):
    def transform_embedding_request(
        self, model: str, input: AllEmbeddingInputValues, optional_params: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any]:
        request: Final = super().transform_embedding_request(model, input, optional_params, headers)
        # A model may really be called `hosted_vllm/...` on the server; upstream's class would cut that off.
        return {**request, "model": model}

    def sign_request(
        self,
        headers: dict[str, str],
        optional_params: dict[str, Any],
        request_data: dict[str, Any],
        api_base: str,
        api_key: str | None = None,
        model: str | None = None,
        stream: bool | None = None,
        fake_stream: bool | None = None,
    ) -> tuple[dict[str, str], bytes | None]:
        """
        The last look at the request: only here does it hold the parameters that OpenAI's endpoint does not know.

        Args:
            headers: headers of the request.
            optional_params: the parameters of the call that OpenAI's endpoint knows.
            request_data: what the caller asks for; bytes in it become text.
            api_base: URL of the endpoint.
            api_key, model, stream, fake_stream: what upstream tells besides; not used here.

        Returns:
            The headers, and the body where it is not `request_data`.

        Raises:
            LexiqNovaError: `encoding_format` is not a text.
        """
        request_data.update({name: _sendable(value, depth=1) for name, value in request_data.items()})
        encoding: Final = request_data.get("encoding_format")
        if encoding is None:
            request_data.pop("encoding_format", None)  # null is no format: OpenAI's client would not send it
        elif not isinstance(encoding, str):
            raise LexiqNovaError(400, f"encoding_format must be a text such as 'float' or 'base64', not {encoding!r}")
        return super().sign_request(
            headers, optional_params, request_data, api_base, api_key, model, stream, fake_stream
        )


class LexiqNovaEmbeddingConfig(LexiqNova, HostedLexiqNovaEmbeddingConfig):
    pass
