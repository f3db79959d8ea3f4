"""
Large batches of embeddings travel as base64, which is smaller and faster to read than numbers. A server that answers in
floats only is asked once more, and remembered.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

import httpx

from litellm.llms.base_llm.chat.transformation import BaseLLMException
from litellm.types.utils import EmbeddingResponse

from ..keys import hidden
from .vectors import SoundVectors

# From this many inputs on base64 is the faster way to the same floats (benchmarks/README.md has the figures).
LARGE_BATCH: Final = 16
# Requests of other parameters than these may have another form in base64 (`embed_dtype`, `endianness`: vLLM's; a
# vector for each token), or a refusal that base64 did not cause.
_SAME_AS_BASE64: Final = frozenset({"model", "input", "dimensions", "user", "task", "instructions", "adapter"})
# More servers than this are not kept in mind: the oldest is forgotten, and asked for base64 again.
MAX_REMEMBERED: Final = 256

_floats_only: Final[dict[str, None]] = {}


class Base64RefusedError(BaseLLMException):
    """
    A server did not answer in base64, which the caller did not ask for.

    Args:
        url: of the endpoint.
        status_code: of its answer.
        message: what it says, or what is wrong with it.
    """

    def __init__(self, url: str, status_code: int, message: str) -> None:
        super().__init__(status_code=status_code, message=message)
        self.url = url


def answers_in_base64(url: str) -> bool:
    """Whether an endpoint is not known to answer in floats only."""
    return url not in _floats_only


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


class Base64Batches(SoundVectors):
    """Embeddings that ask for base64 without the caller's word, and give the caller floats."""

    # URL that this call asks for base64.
    base64_from: str | None = None

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
        """Headers and body of a request; see upstream's `BaseEmbeddingConfig`. A large batch asks for base64."""
        if not (answers_in_base64(api_base) and _travels_as_base64(request_data)):
            return super().sign_request(
                headers, optional_params, request_data, api_base, api_key, model, stream, fake_stream
            )
        self.base64_from = api_base
        return headers, json.dumps({**request_data, "encoding_format": "base64"}).encode()

    def get_error_class(
        self, error_message: str, status_code: int, headers: dict[str, str] | httpx.Headers
    ) -> BaseLLMException:
        if self.base64_from and status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY):
            return Base64RefusedError(self.base64_from, status_code, hidden(error_message))
        return super().get_error_class(error_message, status_code, headers)

    def check(self, response: EmbeddingResponse, request: dict[str, Any]) -> None:
        """
        Puts floats in place of base64, and checks them.

        Raises:
            Base64RefusedError: the answer is not base64 of 32-bit floats, or its vectors are of other lengths.
        """
        if self.base64_from:
            try:
                for item in response.data or ():
                    if isinstance(item.get("embedding"), str):
                        item["embedding"] = _floats(item["embedding"])
            except ValueError as error:
                raise self.unusable(str(error)) from None
        super().check(response, request)
        lengths: Final = {len(item["embedding"]) for item in response.data or ()}
        if self.base64_from and not lengths <= {request.get("dimensions") or max(lengths, default=0)}:
            raise self.unusable(f"its vectors are of {sorted(lengths)} numbers")

    def unusable(self, what: str) -> BaseLLMException:
        error: Final = super().unusable(what)
        return Base64RefusedError(self.base64_from, error.status_code, error.message) if self.base64_from else error


@contextmanager
def _remembered(url: str) -> Generator[None, None, None]:
    """Notes an endpoint, for good if what runs inside succeeds: then base64 was the reason."""
    _floats_only[url] = None
    if len(_floats_only) > MAX_REMEMBERED:
        _floats_only.pop(next(iter(_floats_only)), None)
    try:
        yield
    except BaseException:
        _floats_only.pop(url, None)
        raise


def asks_again_for_floats(embedding: Callable[..., Any]) -> Callable[..., Any]:
    """
    Decorates the method that sends embeddings: a server that refuses base64 is asked once more, for floats.

    Args:
        embedding: takes keywords; returns a coroutine for a call that is awaited.
    """

    def asking(handler: object, **call: object) -> object:  # kwargs-ok: the method's own keywords, passed on
        given: Final = call.get("optional_params")
        # Upstream takes `extra_body` out of the parameters.
        again: Final = {**call, "optional_params": {**given} if isinstance(given, Mapping) else {}}
        try:
            answer: Final = embedding(handler, **call)
        except Base64RefusedError as refusal:
            with _remembered(refusal.url):
                return embedding(handler, **again)
        return awaited(answer, again, handler) if isinstance(answer, Awaitable) else answer

    async def awaited(answer: Awaitable[object], again: Mapping[str, object], handler: object) -> object:
        try:
            return await answer
        except Base64RefusedError as refusal:
            with _remembered(refusal.url):
                return await embedding(handler, **again)

    return asking
