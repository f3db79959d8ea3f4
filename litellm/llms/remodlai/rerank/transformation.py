"""
Rerank of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity, with pictures and `extra_body`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from litellm.exceptions import UnsupportedParamsError
from litellm.types.rerank import RerankResponse

from ...hosted_vllm.rerank.transformation import HostedVLLMRerankConfig
from ..common_utils import HostedLexiqNova, LexiqNova

_UPSTREAM: Final = re.compile("hosted[_ ]?vllm", re.IGNORECASE)
# Upstream's type of a request has texts there; vLLM takes an object with `content` too, for pictures.
_TEXTS: Final[dict[str, Any]] = {"query": "", "documents": []}


class HostedLexiqNovaRerankConfig(HostedLexiqNova, HostedVLLMRerankConfig):
    def map_cohere_rerank_params(self, *args: Any, **call: Any) -> dict[str, Any]:  # kwargs-ok: upstream's, passed on
        """Upstream's parameters and `extra_body`; what upstream refuses is the caller's mistake, status 400."""
        if call.get("drop_params"):
            call["max_chunks_per_doc"] = None
        try:
            params: Final = super().map_cohere_rerank_params(*args, **call)
        except (UnsupportedParamsError, ValueError) as error:
            self._refuse(error)
        given: Final = (call.get("non_default_params") or {}).get("extra_body")
        return {**params, "extra_body": given} if given else params

    def transform_rerank_request(
        self,
        model: str,
        optional_rerank_params: dict[str, Any],
        headers: dict[str, str],
        litellm_params: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """
        Upstream's request, with the query and documents as they were given, and the extra body.

        Raises:
            UnsupportedParamsError: no query or no documents.
        """
        params: Final = dict(optional_rerank_params)
        extra: Final = params.pop("extra_body", None) or {}
        objects: Final = {name: params[name] for name in _TEXTS if isinstance(params.get(name), Mapping)}
        params.update((name, _TEXTS[name]) for name in objects)
        try:
            request: Final = super().transform_rerank_request(model, params, headers, litellm_params)
        except ValueError as error:
            self._refuse(error)
        return {**request, **objects, **extra}

    def _transform_response(self, response: dict[str, Any]) -> RerankResponse:
        """Upstream's response; a document without a text, a picture, is left out, as upstream would say `None`."""
        results: Final = response.get("results")
        for result in results if isinstance(results, list) else ():
            document = result.get("document") if isinstance(result, dict) else None
            if isinstance(document, dict) and document.get("text") is None:
                del result["document"]
        return super()._transform_response(response)

    def _refuse(self, error: Exception) -> NoReturn:
        words: Final = str(getattr(error, "message", error)).removeprefix("litellm.UnsupportedParamsError: ")
        said: Final = _UPSTREAM.sub(self.provider, words)
        raise UnsupportedParamsError(status_code=400, message=said, llm_provider=self.provider) from None


class LexiqNovaRerankConfig(LexiqNova, HostedLexiqNovaRerankConfig):
    pass
