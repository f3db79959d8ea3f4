"""Observations made comparable: everything as plain data, the provider's names replaced, what is random removed.

NORMALISATIONS is the whole list of what the comparison does not look at, each with its reason.
"""

import base64
import binascii
import dataclasses
import re
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import httpx
from pydantic import BaseModel

NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "hosted_vllm": (
        ("hosted_vllm", "<provider>"),
        ("Hosted_vllm", "<Provider>"),
        ("HOSTED_VLLM", "<PROVIDER>"),
        ("HostedVLLM", "<Provider>"),
        ("Hosted VLLM", "<Provider name>"),
    ),
    "remodlai": (
        ("remodlai", "<provider>"),
        ("Remodlai", "<Provider>"),
        ("REMODLAI", "<PROVIDER>"),
        ("HostedLexiqNova", "<Provider>"),
        ("Hosted Lexiq Nova", "<Provider name>"),
    ),
}
"""How each provider is spelled, and what stands for it in a comparison. Each side has only its own names replaced:
where one provider's answer carries the other's name, the two differ."""

_TIME = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
_TRACEBACK = re.compile(r"\s*Traceback \(most recent call last\):.*", re.S)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_BOUNDARY = re.compile(r"boundary=[^\s;]+")
_ENCODED_ID = re.compile(r"\b(resp|video|file|batch|cntr|msg|item)_([A-Za-z0-9+/_-]{24,}={0,2})")
_VERSION = re.compile(r"\+remodlai[.a-z0-9]*")
_DURATION = re.compile(r"time taken=[0-9.]+")
_DAY = 86_400.0


def _decode(match: re.Match[str]) -> str:
    try:
        padded = match[2] + "=" * (-len(match[2]) % 4)
        return f"{match[1]}_<{base64.urlsafe_b64decode(padded).decode()}>"
    except (binascii.Error, UnicodeDecodeError):
        return match[0]


@dataclasses.dataclass(frozen=True)
class Normalisation:
    """One thing the comparison does not look at: what is replaced in strings or under keys, and why."""

    what: str
    why: str
    text: Callable[[str], str] = staticmethod(lambda text: text)
    keys: frozenset[str] = frozenset()


NORMALISATIONS: tuple[Normalisation, ...] = (
    Normalisation(
        "the fork's version",
        "`User-Agent` carries LiteLLM's version, whose suffix holds the name of one provider",
        text=lambda text: _VERSION.sub("", text),
    ),
    Normalisation(
        "ids that encode the provider",
        "LiteLLM packs provider and model into base64 ids; decoded, so that the names inside are compared",
        text=lambda text: _ENCODED_ID.sub(_decode, text),
    ),
    Normalisation("UUIDs", "drawn anew for each call", text=lambda text: _UUID.sub("<uuid>", text)),
    Normalisation(
        "times of day in text", "the two calls are made one after the other", text=lambda t: _TIME.sub("<time>", t)
    ),
    Normalisation(
        "stack traces inside messages",
        "they name files and line numbers of each provider's own code",
        text=lambda text: _TRACEBACK.sub(" <traceback>", text),
        keys=frozenset({"traceback"}),
    ),
    Normalisation("addresses of objects", "differ between any two objects", text=lambda text: _ADDRESS.sub("", text)),
    Normalisation(
        "multipart boundaries", "random; parts are compared", text=lambda text: _BOUNDARY.sub("boundary=<b>", text)
    ),
    Normalisation(
        "durations",
        "measured, not computed",
        text=lambda text: _DURATION.sub("time taken=<t>", text),
        keys=frozenset(
            {
                *("response_time", "litellm_overhead_time_ms", "_response_ms", "response_ms", "callback_duration_ms"),
                *("llm_api_duration_ms", "time_to_first_token", "x-litellm-overhead-duration-ms", "timing"),
            }
        ),
    ),
    Normalisation("cache keys", "a hash over the model's name, provider included", keys=frozenset({"cache_key"})),
)

_KEYS = frozenset(key for rule in NORMALISATIONS for key in rule.keys)


def plain(value: Any, provider: str) -> Any:
    """`value` as JSON-like data, normalised, with `provider`'s names replaced."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value, provider)
    if isinstance(value, (int, float)):
        return "<now>" if abs(value - time.time()) < _DAY else value
    if isinstance(value, str):
        return text(value, provider)
    if isinstance(value, bytes):
        return text(value.decode("utf-8", "backslashreplace"), provider)
    if isinstance(value, Mapping):
        return {
            text(str(key), provider): "<ignored>" if key in _KEYS else plain(item, provider)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, provider) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, provider) for item in value), key=repr)
    if isinstance(value, BaseModel):
        hidden = {"_hidden_params": getattr(value, "_hidden_params", None)}
        fields = {**value.__dict__, **(value.__pydantic_extra__ or {}), **hidden}
        return {"": type(value).__name__, **plain(fields, provider)}
    if isinstance(value, httpx.Response):
        headers = plain(value.headers, provider)
        return {
            "": "httpx.Response",
            "status": value.status_code,
            "headers": headers,
            "body": plain(value.read(), provider),
        }
    if isinstance(getattr(value, "response", None), httpx.Response):
        return {"": type(value).__name__, "response": plain(value.response, provider)}
    if isinstance(value, httpx.Headers):
        return plain(dict(value), provider)
    if isinstance(value, BaseException):
        return failure(value, provider)
    if dataclasses.is_dataclass(value):
        return {"": type(value).__name__, **plain(vars(value), provider)}
    return {"": type(value).__name__}


def text(value: str, provider: str) -> str:
    """One string, normalised."""
    for rule in NORMALISATIONS:
        value = rule.text(value)
    for name, stands_for in NAMES[provider]:
        value = value.replace(name, stands_for)
    return value


def failure(error: BaseException, provider: str) -> dict[str, Any]:
    """What a caller can see of an exception: its class and base classes, status, message, headers, provider."""
    response = getattr(error, "response", None)
    seen = {
        "class": [cls.__name__ for cls in type(error).__mro__ if cls not in (object, BaseException)],
        "text": str(error),
        **{
            name: getattr(error, name, None)
            for name in ("status_code", "message", "llm_provider", "model", "type", "code", "param", "body")
        },
        "max_retries": getattr(error, "max_retries", None),
        "num_retries": getattr(error, "num_retries", None),
        "headers": dict(response.headers) if isinstance(response, httpx.Response) else None,
        "provider_headers": getattr(error, "litellm_response_headers", None),
    }
    return plain(seen, provider)
