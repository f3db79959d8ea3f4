"""
The base of a server, as people write it and as it is used. Nothing here asks a server.
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import httpx

MAX_REMEMBERED: Final = 256
_ENDPOINTS: Final = (
    "chat/completions",
    "completions",
    "embeddings",
    "rerank",
    "responses",
    "messages",
    "models",
    "moderations",
    "audio/(?:transcriptions|translations|speech)",
    "images/(?:generations|edits)",
)
_ENDPOINT: Final = re.compile(rf"(?<=/v\d)/(?:{'|'.join(_ENDPOINTS)})/?$")
_THIS_MACHINE: Final = re.compile(r"(?:localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\])(?::\d+)?(?:/|$)", re.IGNORECASE)


@lru_cache(MAX_REMEMBERED)
def meant(base: str) -> str:
    """
    The base that is meant where that is plain.

    Args:
        base: as it was configured.

    Returns:
        The base without white space and quotes around it and without an endpoint behind its `/v1`. One of this
        machine that has no scheme gets `http://`.
    """
    plain: Final = _ENDPOINT.sub("", base.strip().strip("\"'").strip())
    return f"http://{plain}" if _THIS_MACHINE.match(plain) else plain


@lru_cache(MAX_REMEMBERED)
def wrong_base(base: str) -> str | None:
    """
    Says what is wrong with a base before anything is sent to it.

    Args:
        base: URL of a server, as it was configured.

    Returns:
        The cause, or None where the base can be used.
    """
    url: Final = meant(base)
    if not re.match("https?://", url, re.IGNORECASE):
        if re.match(r"\w+://", url):
            return "its scheme must be https:// or http://"
        return "it has no scheme; write https:// or http:// in front of it"
    try:
        parts: Final = urlsplit(url)
        host: Final = parts.netloc.rpartition("@")[2]
        if host.count(":") > 1 and not host.startswith("["):
            return "an IPv6 address stands in brackets in a URL, as in http://[::1]:8000"
        if not host or host.startswith(":"):
            return "it names no host"
        httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        return f"it is no URL ({error})"
    if "?" in url or "#" in url:
        return "the path of an endpoint comes behind it, so that it can have no query (?) and no fragment (#)"
    return None


def with_api_path(base: str) -> str:
    """
    Adds `/v1` to a base that is a bare origin; any other path is kept.

    Args:
        base: URL of a server, `https://host` or `https://host/some/path`, with or without a trailing slash.

    Returns:
        The base without a trailing slash.
    """
    bare: Final = base.rstrip("/")
    parts: Final = urlsplit(bare)
    return f"{bare}/v1" if parts.scheme in ("http", "https") and not parts.path else bare


def server_root(base: str) -> str:
    """Returns `base` without its `/v1`: where vLLM's unversioned routes (`/tokenize`, `/score`, …) are."""
    return base.rstrip("/").removesuffix("/v1")
