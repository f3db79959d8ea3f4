"""An engine of two workers, by vLLM's own option for tensor parallelism."""

import os

import pytest
from local.engines import ARGS, chat, engine, pid, processes

PAIR = {**ARGS, "tensor_parallel_size": 2}


def test_two_workers_answer_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "|".join(map(str, sorted(os.sched_getaffinity(0))[:2])))
    assert chat(engine_args=PAIR).choices
    workers = [one for one in processes(pid(engine(args=PAIR))) if "Worker" in (one / "cmdline").read_text()]
    assert len(workers) == 2
