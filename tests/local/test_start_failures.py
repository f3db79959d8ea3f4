"""An engine that cannot start, and why: one exception with vLLM's own last error line and the path of its log."""

import asyncio
import re
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pytest
from local.engines import ARGS, MESSAGES, chat, model, pid, status

import litellm
from litellm.llms.remodlai.engine.engine import Engine
from support.models import model_dir


@dataclass(frozen=True)
class Failure:
    """A model and options that cannot work, the exception that says so, and what its text and the log match."""

    error: type[Exception]
    text: str
    args: dict[str, Any] = field(default_factory=dict)
    model: str = "tiny-chat"
    log: str = ""
    starts: bool = True

    @property
    def path(self) -> str:
        return self.model if "/" in self.model else str(model_dir(self.model))

    def happens(self) -> Exception:
        with pytest.raises(openai.APIError) as failed:
            litellm.completion(f"lexiq_nova/{self.path}", MESSAGES, engine_args=self.args)
        return failed.value


FAILURES = {
    # vLLM has no attention for heads of 16 on a CPU: it starts, and dies of the first request.
    "head size": Failure(openai.APIError, "(?i)head.*died|died.*head", model="head16"),
    "model": Failure(
        litellm.NotFoundError, "no/such-model is not on this machine", model="no/such-model", starts=False
    ),
    "typo": Failure(litellm.NotFoundError, "no model at ./no/such", model="./no/such", starts=False),
    "option": Failure(litellm.BadRequestError, "unrecognized arguments: --no-such-option", {"no_such_option": True}),
    "value": Failure(litellm.BadRequestError, "max_model_len", {"max_model_len": 10**6}),
    "memory": Failure(openai.APIError, "(?i)memory", {"kv_cache_memory_bytes": 2**57}),
    # What one machine of the tests cannot do: vLLM was asked for it as it was written, and says what is missing.
    "distributed": Failure(
        openai.APIError,
        "(?i)ray",
        {
            "tensor_parallel_size": 4,
            "pipeline_parallel_size": 2,
            "data_parallel_size": 3,
            "distributed_executor_backend": "ray",
        },
        log="'tensor_parallel_size': 4.*'data_parallel_size': 3",
    ),
}


@pytest.fixture(scope="module")
def failures() -> Iterator[dict[str, Future[Exception]]]:
    """All of them, two at a time, beside the engine that other tests have left."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as threads:
        patch.setenv("LEXIQ_NOVA_MAX_ENGINES", "4")
        yield {name: threads.submit(failure.happens) for name, failure in FAILURES.items()}


@pytest.mark.parametrize("name", FAILURES)
def test_failure_to_start(name: str, failures: dict[str, Future[Exception]]) -> None:
    failure, error = FAILURES[name], failures[name].result()
    log = Engine.of(failure.path, failure.args).log
    assert isinstance(error, failure.error), error
    assert re.search(failure.text, str(error))
    if failure.starts:
        assert str(log) in str(error)
        assert re.search(failure.log, log.read_text())


@pytest.mark.parametrize(
    ("name", "args"),
    [("tiny-chat", {"no_such_option": True}), ("tiny-chat", {"max_model_len": 10**6}), ("no-weights", {})],
)
def test_what_vllm_refuses_costs_nobody_an_engine(
    name: str, args: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat()
    before = pid()
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    (tmp_path / "config.json").write_text('{"model_type": "no-such-type", "architectures": ["NoSuchModel"]}')
    path = tmp_path if name == "no-weights" else model_dir(name)
    with pytest.raises(litellm.BadRequestError):
        litellm.completion(f"lexiq_nova/{path}", MESSAGES, engine_args=args)
    assert pid() == before and (status() or {})["state"] == "ready"


def test_what_an_engine_cannot_do_says_what_to_set() -> None:
    chat()
    before = pid()
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    with pytest.raises(litellm.BadRequestError, match="engine_args=.*tool_call_parser"):
        chat(tools=[tool])
    with pytest.raises(openai.APIError, match="engine_args=.*'runner': 'pooling'"):
        litellm.embedding(model(), input=["one"], engine_args=ARGS)
    assert asyncio.run(litellm.ahealth_check({"model": model(), "engine_args": ARGS})) == {"local_engine": "ready"}
    assert pid() == before


def test_vllm_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -E -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("LEXIQ_NOVA_PYTHON", str(bare))
    with pytest.raises(litellm.BadRequestError, match="vllm is not installed"):
        chat()
