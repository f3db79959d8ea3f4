"""
Who the two Lexiq Nova providers are: error class, server and key resolution, model listing.

`remodlai/` is a hosted Lexiq Nova server, `lexiq_nova/` a vLLM on the caller's own machine. Every endpoint's class
mixes one of the two identities below into upstream's `HostedVLLM…` class for that endpoint; nothing else differs.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

import httpx
from pydantic import BaseModel

import litellm
from litellm.constants import NON_LLM_CONNECTION_TIMEOUT, PLACEHOLDER_API_KEY
from litellm.litellm_core_utils.call_headers import headers_of_call
from litellm.litellm_core_utils.redirects import names_servers, stay_on
from litellm.llms.base_llm.chat.transformation import BaseLLMException
from litellm.llms.custom_httpx.http_handler import get_httpx_client
from litellm.llms.remodlai.bases import MAX_REMEMBERED, meant, server_root, with_api_path, wrong_base
from litellm.llms.remodlai.errors import ENGINE_SCHEME, LexiqNovaError, explained
from litellm.llms.remodlai.token_counter import ServerTokenCounter
from litellm.llms.vllm import common_utils as vllm
from litellm.types.llms.openai import AllMessageValues
from litellm.types.router import GenericLiteLLMParams

from . import local
from .keys import is_sendable, remember
from .places import LOCAL_ENGINE, base_names, key_of, place_of, server_of, without_secrets


def with_sendable_key(base: str, key: str | None) -> tuple[str, str]:
    """
    Base and key of a call that is going to be made.

    Args:
        base: of the server; the call stays on it.
        key: its key, if any. White space around it is not part of it: a key read from a file ends with a line break.

    Raises:
        LexiqNovaError: no header can carry the key. The message does not show it.
    """
    sent: Final = (key or "").strip() or PLACEHOLDER_API_KEY
    if not is_sendable(sent):
        text: Final = "the API key has a space, a line break or another character inside that no header can carry"
        raise LexiqNovaError(status_code=401, message=f"{text}; nothing was sent")
    remember(sent)
    stay_on(base)
    return base, sent


@lru_cache(MAX_REMEMBERED)
def server_base(provider: str, base: str) -> str:
    """
    The base of a server, as it is used.

    Args:
        provider: whose call it is.
        base: as it was configured.

    Raises:
        LexiqNovaError: it names no server (400); the message says where it came from.
    """
    if base.startswith(ENGINE_SCHEME):
        return base
    if (cause := wrong_base(base)) is not None:
        text: Final = (
            f"{provider}: the base {without_secrets(base)!r} from {place_of(provider, base)} cannot be used: {cause}"
        )
        raise LexiqNovaError(status_code=httpx.codes.BAD_REQUEST, message=text)
    return with_api_path(meant(base))


def _by_name(method: Callable[..., Any], args: tuple[object, ...], call: dict[str, object]) -> dict[str, Any]:
    # The order of the hooks' parameters differs between endpoints, and Decisions' are called by position.
    return dict(inspect.signature(method).bind(*args, **call).arguments) if args else call


def _argument(call: Mapping[str, object], name: str) -> Any:
    # The Responses and video hooks get base and key only inside `litellm_params`, a dict or a pydantic model.
    params: Final = call.get("litellm_params") or {}
    return call.get(name) or (params.get(name) if isinstance(params, Mapping) else getattr(params, name, None))


def with_key(litellm_params: GenericLiteLLMParams | None, key: str | None) -> GenericLiteLLMParams:
    """Returns a copy of `litellm_params` that holds `key` (upstream reads it there in some hooks)."""
    return (litellm_params or GenericLiteLLMParams()).model_copy(update={"api_key": key})


class _Listing(BaseModel):
    """What a listing takes from a deployment."""

    api_base: str | None = None
    api_key: str | None = None
    extra_headers: dict[str, str] | None = None
    ssl_verify: bool | str | None = None


def _authorization(headers: Mapping[str, str]) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == "authorization"), None)


def with_authorization(headers: dict[str, str], brought: Mapping[str, str], has_key: bool) -> dict[str, str]:
    """
    Headers of a request with one `Authorization`: the key's, or what the call brought where there is no key.

    Args:
        headers: of the request.
        brought: what the call brought, whatever the spelling of the names.
        has_key: whether a key is configured.

    Raises:
        LexiqNovaError: no header can carry what the call brought. The message does not show it.
    """
    given: Final = _authorization(brought)
    if given is None:
        return headers
    own: Final = given.strip()
    if not own.isascii() or not own.isprintable():
        text: Final = "the Authorization header has a character inside that no header can carry"
        raise LexiqNovaError(status_code=401, message=f"{text}; nothing was sent")
    remember(own.rpartition(" ")[2])
    others: Final = {name: value for name, value in headers.items() if name.lower() != "authorization"}
    return {**others, "Authorization": headers.get("Authorization", own) if has_key else own}


class HostedLexiqNova:
    """Identity of `remodlai/`. It stands before upstream's class: `class X(HostedLexiqNova, HostedVLLMX)`."""

    provider: ClassVar[str] = "remodlai"
    # Upstream makes a config for each call: what it asked, for the messages of its errors.
    _asked: str | None = None
    _has_key: bool = True

    @classmethod
    def resolve(cls, api_base: object = None, api_key: str | None = None) -> tuple[str, str]:
        """
        The server that a call with these arguments reaches, and the key that belongs to it.

        Args:
            api_base: the call's `api_base=`, if any.
            api_key: the call's `api_key=`, if any.

        Returns:
            Base and key. The base is LOCAL_ENGINE where no server is configured; the key is never empty, so that
            upstream has no reason to look for another provider's.

        Raises:
            LexiqNovaError: what was given is no base, or no header can carry the key.
        """
        owner, base = server_of(cls.provider, api_base)
        return with_sendable_key(server_base(owner, base), api_key or key_of(owner))

    def reach(self, call: Mapping[str, object]) -> str:
        """
        The base of the server that a call reaches; where none is configured, what `local` has instead.

        Args:
            call: what upstream gave a hook of this config: `api_base`, `api_key`, `model`, `litellm_params`.

        Returns:
            A base for a URL.

        Raises:
            LexiqNovaError: no server is configured, and no engine can serve the model here.
        """
        base: Final = self.resolve(_argument(call, "api_base"), _argument(call, "api_key"))[0]
        if base == LOCAL_ENGINE:
            return local.base_of(self.provider, _argument(call, "model") or "")
        self._asked = base
        return base

    def key(self, call: Mapping[str, object]) -> str | None:
        """The key that belongs to the server that `reach` names."""
        key: Final = self.resolve(_argument(call, "api_base"), _argument(call, "api_key"))[1]
        self._has_key = key != PLACEHOLDER_API_KEY
        return key

    def with_headers_of_call(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        """The headers that upstream gave a hook, and those that the call brought and upstream did not read."""
        return {**headers_of_call(), **(headers or {})}

    def authorized(self, headers: dict[str, str], brought: Mapping[str, str]) -> dict[str, str]:
        """The headers of a request whose key `key` has given; see `with_authorization`."""
        sent: Final = with_authorization(headers, brought, self._has_key)
        self._has_key = self._has_key or _authorization(brought) is not None
        return sent

    def _upstream(self, hook: str) -> Callable[..., Any]:
        """The hook of upstream's class of the endpoint, which stands behind this one."""
        found: Final[Callable[..., Any]] = getattr(super(), hook)
        return found

    def get_complete_url(self, *args: object, **call: object) -> Any:  # kwargs-ok: the endpoints' hooks differ
        """Upstream's URL of the endpoint, on the server that `reach` names."""
        upstream: Final = self._upstream("get_complete_url")
        by_name: Final = _by_name(upstream, args, call)
        return upstream(**{**by_name, "api_base": self.reach(by_name)})

    def validate_environment(self, *args: Any, **call: Any) -> dict[str, Any]:  # kwargs-ok: the endpoints' hooks differ
        """Upstream's headers of the endpoint, with the key that belongs to the server."""
        upstream: Final = self._upstream("validate_environment")
        by_name: Final = _by_name(upstream, args, call)
        headers: Final = self.with_headers_of_call(by_name.get("headers"))
        key: Final = self.key(by_name)
        return self.authorized(upstream(**{**by_name, "headers": {**headers}, "api_key": key}), headers)

    def get_error_class(
        self, error_message: str, status_code: int, headers: dict[str, str] | httpx.Headers
    ) -> BaseLLMException:
        answered: Final = bool(headers) or status_code != httpx.codes.INTERNAL_SERVER_ERROR
        message: Final = (
            error_message
            if self._asked is None
            else explained(error_message, status_code, answered, self.provider, self._asked, self._has_key)
        )
        return LexiqNovaError(status_code=status_code, message=message, headers=headers)

    @classmethod
    def get_api_base(cls, api_base: str | None = None) -> str | None:
        return cls.resolve(api_base)[0]

    @classmethod
    def get_api_key(cls, api_key: str | None = None) -> str | None:
        return cls.resolve(None, api_key)[1]

    def get_models(self, api_key: str | None = None, api_base: str | None = None) -> list[str]:
        """As `discover_models`, for what stands in no deployment."""
        return self.discover_models({"api_key": api_key, "api_base": api_base})

    @names_servers
    def discover_models(self, litellm_params: Mapping[str, object] | None = None) -> list[str]:
        """
        Lists what the server of a deployment serves (`GET /v1/models`); on this machine, what is running and what could
        be.

        Args:
            litellm_params: the deployment's. `api_base` and `api_key` are by default those that are configured;
                `extra_headers` are sent, and `ssl_verify` is as for its calls.

        Returns:
            Model ids as the server names them, without a provider prefix.

        Raises:
            LexiqNovaError: no server is configured, or it answered with an error.
        """
        params: Final = _Listing.model_validate(litellm_params or {})
        base, key = self.resolve(params.api_base, params.api_key)
        if base == LOCAL_ENGINE:
            return local.models_of(self.provider)
        own: Final = {} if key == PLACEHOLDER_API_KEY else {"Authorization": f"Bearer {key}"}
        response: Final = get_httpx_client(params={"ssl_verify": params.ssl_verify}).get(
            f"{base}/models", headers={**(params.extra_headers or {}), **own}, timeout=NON_LLM_CONNECTION_TIMEOUT
        )
        if response.status_code != httpx.codes.OK:
            raise self.get_error_class(response.text, response.status_code, response.headers)
        return [model["id"] for model in response.json()["data"]]


class LexiqNova(HostedLexiqNova):
    """Identity of `lexiq_nova/`: the same classes, with a server on this machine."""

    provider: ClassVar[str] = "lexiq_nova"


IDENTITIES: Final = {identity.provider: identity for identity in (HostedLexiqNova, LexiqNova)}

if TYPE_CHECKING:
    from litellm.llms.vllm.common_utils import VLLMModelInfo as _ModelInfo
else:
    # 1.110 has a class of its own for hosted servers.
    _ModelInfo: Final = getattr(vllm, "HostedVLLMModelInfo", vllm.VLLMModelInfo)


class HostedLexiqNovaModelInfo(HostedLexiqNova, _ModelInfo):
    """What the proxy asks a provider: its base, its key, its models."""

    def validate_environment(
        self,
        headers: dict[str, str],
        model: str,
        messages: list[AllMessageValues],
        optional_params: dict[str, Any],
        litellm_params: dict[str, Any],
        api_key: str | None = None,
        api_base: str | None = None,
    ) -> dict[str, str]:
        # Lexiq Nova reads bearer tokens only; upstream's vLLM pass-through sends `x-api-key`.
        call: Final = {"api_base": api_base, "api_key": api_key, "litellm_params": litellm_params}
        brought: Final = self.with_headers_of_call(headers)
        return self.authorized({**brought, "Authorization": f"Bearer {self.key(call)}"}, brought)

    def get_token_counter(self) -> ServerTokenCounter:
        return ServerTokenCounter(self.provider, self.resolve)

    @classmethod
    def get_api_base(cls, api_base: str | None = None) -> str | None:
        # The proxy's pass-through appends whole routes to it: `v1/chat/completions`, but also `tokenize`.
        return server_root(cls.resolve(api_base)[0])


class LexiqNovaModelInfo(LexiqNova, HostedLexiqNovaModelInfo):
    pass


def token_counter_of(provider: str) -> ServerTokenCounter:
    """Returns what asks a provider's servers for counts of tokens."""
    return ServerTokenCounter(provider, IDENTITIES[provider].resolve)


def own_server(provider: str, api_base: object, api_key: str | None) -> tuple[str, str]:
    """
    Base and key for the upstream functions that have no config class and would take OpenAI's.

    Args:
        provider: the provider's name, or a model that begins with it.
        api_base: the call's `api_base=`, if any.
        api_key: the call's `api_key=`, if any.

    Returns:
        As `HostedLexiqNova.resolve`.
    """
    return IDENTITIES.get(provider.split("/", 1)[0], HostedLexiqNova).resolve(api_base, api_key)


def require_server(provider: str, base: str, what: str) -> None:
    """
    Passes where a server is configured: the engine of this machine, which is vLLM alone, has no such routes.

    Args:
        provider: the provider's name.
        base: as `own_server` gives it.
        what: is asked for, for the message.

    Raises:
        litellm.BadRequestError: no server is configured.
    """
    if base.startswith(ENGINE_SCHEME):
        raise litellm.BadRequestError(
            message=f"{provider}: {what} need a server, and none is configured. Name one: {base_names(provider)}.",
            model="",
            llm_provider=provider,
        )
