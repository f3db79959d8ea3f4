"""
Embeddings of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity, and two things more.

Pictures may be given as bytes, and large batches travel as base64, which is smaller and faster to read than numbers.
What else the Nova embedding models take is described in README.md beside this file; upstream passes it on untouched.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

import httpx

from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.types.llms.openai import AllEmbeddingInputValues
from litellm.types.utils import EmbeddingResponse

from ...hosted_vllm.embedding.transformation import HostedVLLMEmbeddingConfig
from ..common_utils import HostedLexiqNova, LexiqNova

# From this many inputs on base64 is the faster way to the same floats (benchmarks/README.md has the figures).
LARGE_BATCH = 16


def _sendable(value: Any) -> Any:
    """Bytes, at any depth, as base64 text: JSON has no bytes."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _sendable(item) for key, item in value.items()}
    return [_sendable(item) for item in value] if isinstance(value, list | tuple) else value


def _travels_as_base64(request: Mapping[str, Any]) -> bool:
    # Only one vector per input has a base64 form that says its own shape.
    plain = request.get("encoding_format") in (None, "float") and not request.get("return_multivector")
    return (
        plain and isinstance(request["input"], list) and len(request["input"]) >= LARGE_BATCH and _numpy() is not None
    )


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        return None  # optional: without it, floats are asked for and parsed as JSON
    return numpy


def _floats(embedding: str) -> list[float]:
    return _numpy().frombuffer(base64.b64decode(embedding), dtype="<f4").tolist()


class HostedLexiqNovaEmbeddingConfig(HostedLexiqNova, HostedVLLMEmbeddingConfig):
    def transform_embedding_request(
        self, model: str, input: AllEmbeddingInputValues, optional_params: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any]:
        request = super().transform_embedding_request(model, input, optional_params, headers)
        # A model may really be called `hosted_vllm/...` on the server; upstream's class would cut that off.
        return {**request, "model": model}

    def sign_request(
        self,
        headers: dict[str, str],
        optional_params: dict[str, Any],
        request_data: dict[str, Any],
        *args: Any,
        **call: Any,
    ) -> tuple[dict[str, str], bytes | None]:
        """
        The last look at the request: only here does it hold the parameters that OpenAI's endpoint does not know.

        Args:
            headers: headers of the request.
            optional_params: the parameters of the call that OpenAI's endpoint knows.
            request_data: what the caller asks for; bytes in it become text.
            args, call: what else upstream tells; not used here.

        Returns:
            The headers, and the body where it is not `request_data`: a large batch asks for base64.
        """
        request_data.update(_sendable(request_data))
        if not _travels_as_base64(request_data):
            return headers, None
        return headers, json.dumps({**request_data, "encoding_format": "base64"}).encode()

    def transform_embedding_response(
        self,
        model: str,
        raw_response: httpx.Response,
        model_response: EmbeddingResponse,
        logging_obj: Logging,
        api_key: str | None,
        request_data: dict[str, Any],
        optional_params: dict[str, Any],
        litellm_params: dict[str, Any],
    ) -> EmbeddingResponse:
        """Upstream's response; vectors that travelled as base64 without the caller's asking are floats again."""
        response = super().transform_embedding_response(
            model, raw_response, model_response, logging_obj, api_key, request_data, optional_params, litellm_params
        )
        if request_data.get("encoding_format") != "base64":
            for item in response.data or ():
                if isinstance(item["embedding"], str):
                    item["embedding"] = _floats(item["embedding"])
        return response


class LexiqNovaEmbeddingConfig(LexiqNova, HostedLexiqNovaEmbeddingConfig):
    pass
