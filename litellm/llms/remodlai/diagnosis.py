"""
Why a server could not be asked, in words for whoever configured it: the cause, and what to do about it.

Nothing here asks a server; what is judged is the error that a client raised, or an answer.
"""

import re
from collections.abc import Iterator
from typing import Final

NO_AUTHORITY: Final = (
    "its certificate is not signed by an authority that this machine trusts; name the authority's file (PEM) by "
    "SSL_CERT_FILE or ssl_verify=..."
)
OTHER_NAME: Final = "its certificate is for another host name than that of the base"
SPEAKS_PLAIN: Final = "it answers without TLS; the base must begin with http://"
SPEAKS_TLS: Final = "it broke off; where it speaks TLS, the base must begin with https://"
UNREADABLE_LENGTH: Final = 80

# What OpenSSL, the resolver and the kernel say, in the order in which it is looked for.
_CAUSES: Final = (
    (re.compile("Hostname mismatch|IP address mismatch|doesn't match", re.I), OTHER_NAME),
    (re.compile("CERTIFICATE_VERIFY_FAILED|certificate verify failed"), NO_AUTHORITY),
    (re.compile("WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|wrong version number|record layer failure"), SPEAKS_PLAIN),
    (
        re.compile("Name or service not known|nodename nor servname|name resolution|getaddrinfo failed", re.I),
        "no host of that name is known here; look for a typing error, or ask whether it needs a VPN",
    ),
    (
        re.compile("Connection refused|Connect call failed|actively refused", re.I),
        "nothing listens on that port; is the server running, and is the port right?",
    ),
    (re.compile("unreachable|No route to host", re.I), "this machine has no way to that network"),
    (re.compile("server disconnected|illegal status line|reset by peer", re.I), SPEAKS_TLS),
)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error, its cause, the cause of that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__  # rebind-ok: from an error to the one that it came from


def known_cause(words: str) -> str | None:
    """Returns the cause and what to do, from the words of an error of a connection; None where they are unknown."""
    return next((cause for pattern, cause in _CAUSES if pattern.search(words)), None)


def why_unreachable(error: BaseException) -> str:
    """
    The cause of an error that an HTTP client raised instead of an answer.

    Args:
        error: of httpx, aiohttp or the openai SDK; its causes are looked at too.

    Returns:
        The cause and what to do; the error's own words where they are unknown.
    """
    said: Final = [f"{type(each).__name__}: {each}" for each in chain(error)]
    cause: Final = known_cause("\n".join(said))
    if cause is not None:
        return cause
    if any("Timeout" in words.partition(":")[0] for words in said):
        return "it does not answer in time; a firewall may be in between"
    return said[0]


def why_unreadable(text: str) -> str | None:
    """
    Why an answer is none of an OpenAI-compatible server, where it is a page for people.

    Args:
        text: the body of the answer.

    Returns:
        The cause, or None where the answer is no HTML.
    """
    if not re.match(r"\s*(<!doctype html|<html)", text, re.I):
        return None
    title: Final = re.search(r"<title>\s*(.*?)\s*</title>", text, re.I | re.S)
    named: Final = f' ("{title[1][:UNREADABLE_LENGTH]}")' if title else ""
    return f"it answers with a web page{named}; is a login page or proxy in between, or is the base another program's?"
