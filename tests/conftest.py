"""What holds for every test: only loopback can be reached, here and in Python children, and LiteLLM uses the
price list inside the package and the tokenizers at hand, so that it fetches nothing."""

import os
from collections.abc import Iterator

import pytest

from support import loopback

os.environ.update(loopback.child_env())
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["HF_HUB_OFFLINE"] = "1"
loopback.install()


@pytest.fixture(autouse=True)
def nothing_leaves_the_machine() -> Iterator[None]:
    """A refused connection fails the test it happened in, whether or not the code under test hid the error.

    A test that provokes refusals on purpose takes them with `loopback.take()`.
    """
    yield
    leaked = loopback.take()
    assert not leaked, f"reached for another host: {leaked}"
