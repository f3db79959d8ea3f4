"""
Embeddings of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity, and two things more.

Pictures may be given as bytes, and large batches travel as base64, which is smaller and faster to read than numbers.
What else the Nova embedding models take is described in README.md beside this file; upstream passes it on untouched.
"""

import base64
import json
import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import httpx

from litellm.constants import DEFAULT_MAX_RECURSE_DEPTH
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.llms.base_llm.chat.transformation import BaseLLMException
from litellm.types.llms.openai import AllEmbeddingInputValues
from litellm.types.utils import EmbeddingResponse

from ...hosted_vllm.embedding.transformation import HostedVLLMEmbeddingConfig
from ..common_utils import HostedLexiqNova, LexiqNova
from ..errors import LexiqNovaError
from ..keys import hidden
from .floats import Base64RefusedError, answers_in_base64

# From this many inputs on base64 is the faster way to the same floats (benchmarks/README.md has the figures).
LARGE_BATCH: Final = 16
# Requests of other parameters than these may have another form in base64 (`embed_dtype`, `endianness`: vLLM's; a
# vector for each token), or a refusal that base64 did not cause.
_SAME_AS_BASE64: Final = frozenset({"model", "input", "dimensions", "user", "task", "instructions", "adapter"})


def _sendable(value: object, depth: int = 0) -> object:
    """Bytes, at any depth, as base64 text: JSON has no bytes."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if depth > DEFAULT_MAX_RECURSE_DEPTH:
        raise LexiqNovaError(status_code=400, message="the input is nested too deeply; nothing was sent")
    if isinstance(value, dict):
        return {key: _sendable(item, depth + 1) for key, item in value.items()}
    return [_sendable(item, depth + 1) for item in value] if isinstance(value, list | tuple) else value


def _travels_as_base64(request: Mapping[str, Any]) -> bool:
    return (
        request.keys() <= _SAME_AS_BASE64
        and isinstance(request["input"], list)
        and len(request["input"]) >= LARGE_BATCH
        and _numpy() is not None
    )


def _numpy() -> ModuleType | None:
    try:
        import numpy
    except ImportError:
        return None  # optional: without it, floats are asked for and parsed as JSON
    return numpy


def _floats(embedding: str) -> list[float]:
    """Raises ValueError where this is not base64 of 32-bit floats; asked for only where NumPy is there."""
    import numpy

    return numpy.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").tolist()


def _is_sound(embedding: object) -> bool:
    """Whether this is one vector, or a list of vectors, of finite numbers."""
    rows: Final[Any] = (
        embedding if isinstance(embedding, list) and embedding and isinstance(embedding[0], list) else [embedding]
    )
    try:
        # A sum is finite where each number is: checked in C, in a tenth of the time that parsing them took.
        return all(isinstance(row, list) and row and math.isfinite(sum(row)) for row in rows)
    except (TypeError, OverflowError):
        return False


class HostedLexiqNovaEmbeddingConfig(HostedLexiqNova, HostedVLLMEmbeddingConfig):
    # URL that this call asks for base64 without the caller's word.
    base64_from: str | None = None

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
            The headers, and the body where it is not `request_data`: a large batch asks for base64.

        Raises:
            LexiqNovaError: `encoding_format` is not a text.
        """
        request_data.update({name: _sendable(value, depth=1) for name, value in request_data.items()})
        encoding: Final = request_data.get("encoding_format")
        if encoding is None:
            request_data.pop("encoding_format", None)  # null is no format: OpenAI's client would not send it
        elif not isinstance(encoding, str):
            raise LexiqNovaError(400, f"encoding_format must be a text such as 'float' or 'base64', not {encoding!r}")
        if not (answers_in_base64(api_base) and _travels_as_base64(request_data)):
            return headers, None
        self.base64_from = api_base
        return headers, json.dumps({**request_data, "encoding_format": "base64"}).encode()

    def get_error_class(
        self, error_message: str, status_code: int, headers: dict[str, str] | httpx.Headers
    ) -> BaseLLMException:
        if self.base64_from and status_code in (400, 422):
            return Base64RefusedError(self.base64_from, status_code, hidden(error_message))
        return super().get_error_class(error_message, status_code, headers)

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
        """
        Upstream's response; vectors that travelled as base64 without the caller's asking are floats again.

        Raises:
            Base64RefusedError, LexiqNovaError: the answer has a vector that is empty, or a number that is not finite;
                or it is not base64 of 32-bit floats, which this class and not the caller asked for.
        """
        response: Final = super().transform_embedding_response(
            model, raw_response, model_response, logging_obj, api_key, request_data, optional_params, litellm_params
        )
        if request_data.get("encoding_format") not in (None, "float"):
            return response
        try:
            lengths: Final = {self._read(item) for item in response.data or ()}
        except ValueError as error:
            raise self._failure(str(error)) from None
        if self.base64_from and not lengths <= {request_data.get("dimensions") or max(lengths, default=0)}:
            raise self._failure(f"its vectors are of {sorted(lengths)} numbers")
        return response

    def _read(self, item: dict[str, Any]) -> int:
        """Puts floats in place of base64; returns their number, or raises ValueError where they are no vector."""
        if isinstance(item.get("embedding"), str) and self.base64_from:
            item["embedding"] = _floats(item["embedding"])
        if not _is_sound(item.get("embedding")):
            raise ValueError(f"no vector of finite numbers for input {item.get('index')}")
        return len(item["embedding"])

    def _failure(self, what: str) -> BaseLLMException:
        message: Final = f"the server's embeddings cannot be used: {what}"
        if self.base64_from:
            return Base64RefusedError(self.base64_from, httpx.codes.BAD_GATEWAY, message)
        return LexiqNovaError(httpx.codes.BAD_GATEWAY, message)


class LexiqNovaEmbeddingConfig(LexiqNova, HostedLexiqNovaEmbeddingConfig):
    pass
