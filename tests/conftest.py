"""What holds for every test: only loopback can be reached, here and in Python children, and LiteLLM uses the
price list inside the package and the tokenizers at hand, so that it fetches nothing.

And the real vLLM servers, each started when a test first asks for it. The fixtures look their server up for every
test, so the order of tests does not matter for the result; it is sorted by server all the same, because few are kept
alive and starting one takes half a minute.
"""

import os
import signal
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fork.patch import is_for
from support import loopback
from support.callbacks import no_callback_stays, told_before_its_end

__all__ = ["no_callback_stays", "told_before_its_end"]

if TYPE_CHECKING:  # imported where a server starts: the other tests do without what it needs
    from support.vllm_server import ServerPool, VLLMServer

os.environ.update(loopback.child_env())
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["HF_HUB_OFFLINE"] = "1"
loopback.install()
# A shell's background job ignores Ctrl-C, and with it would the tests that press it and the programs that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SERVER_FIXTURES = ("chat_server", "embedding_server", "rerank_server", "whisper_server")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """A test of an edit that is not for the installed release is not run."""
    if "self_hosted" not in collection_path.parts:
        return None
    return None if is_for(version("litellm"), collection_path) else True


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def servers(item: pytest.Item) -> list[bool]:
        return [name in getattr(item, "fixturenames", ()) for name in SERVER_FIXTURES]

    items.sort(key=servers)  # stable: the order within one server's tests stays


@pytest.fixture(autouse=True)
def nothing_leaves_the_machine() -> Iterator[None]:
    """A refused connection fails the test it happened in, whether or not the code under test hid the error.

    A test that provokes refusals on purpose takes them with `loopback.take()`.
    """
    yield
    leaked = loopback.take()
    assert not leaked, f"reached for another host: {leaked}"


@pytest.fixture(autouse=True)
def no_price_stays() -> Iterator[None]:
    """The price list ends as it began: a Router enters its deployments' models there, for the whole process."""
    litellm = sys.modules.get("litellm")
    before = dict(litellm.model_cost) if litellm else {}
    yield
    if litellm and litellm.model_cost != before:
        litellm.model_cost.clear()
        litellm.model_cost.update(before)
        litellm.utils._invalidate_model_cost_lowercase_map()


@pytest.fixture(autouse=True)
def no_listing_stays() -> Iterator[None]:
    """A listing of models is made anew: LiteLLM keeps one by provider and key, wherever its server was."""
    yield
    if utils := sys.modules.get("litellm.utils"):
        utils._model_cache.flush_cache()


@pytest.fixture(scope="session")
def servers() -> Iterator["ServerPool"]:
    """The pool, for tests that need a server for longer than one test or restart one."""
    from support.vllm_server import ServerPool

    pool = ServerPool()
    yield pool
    pool.stop()


@pytest.fixture
def chat_server(servers: "ServerPool") -> "VLLMServer":
    """SmolLM2-135M-Instruct with tool calls and stored responses; 2048 tokens of context."""
    return servers.get("chat")


@pytest.fixture
def embedding_server(servers: "ServerPool") -> "VLLMServer":
    """all-MiniLM-L6-v2: embeddings, and rerank by cosine."""
    return servers.get("embedding")


@pytest.fixture
def rerank_server(servers: "ServerPool") -> "VLLMServer":
    """A cross-encoder with random weights."""
    return servers.get("rerank")


@pytest.fixture
def whisper_server(servers: "ServerPool") -> "VLLMServer":
    """Whisper tiny.en with its real weights."""
    return servers.get("whisper")
