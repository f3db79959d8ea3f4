"""What must survive: every row of the faults a local engine and its callers can meet, on a real vLLM."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from local.engines import ARGS, LONG, achat, chat, engine, eventually, model, pid, processes, script, status

import litellm
from litellm.llms.remodlai.engine import Engine


def test_killed_while_idle() -> None:
    chat()
    before = pid()
    os.kill(before, signal.SIGKILL)
    assert chat().choices
    assert pid() != before


def test_killed_in_the_middle_of_a_stream() -> None:
    chat()
    before = pid()

    async def asynchronous() -> None:
        stream = await achat(stream=True, **LONG)
        with pytest.raises(openai.APIError):
            async for _ in stream:
                os.kill(before, signal.SIGKILL)

    began = time.monotonic()
    asyncio.run(asynchronous())
    assert time.monotonic() - began < 20  # promptly: an engine takes longer to load
    assert chat().choices
    before = pid()
    with pytest.raises(openai.APIError):
        for _ in chat(stream=True, **LONG):
            os.kill(before, signal.SIGKILL)
    assert chat().choices


def test_dead_inside() -> None:
    chat()
    before = pid()
    [core] = [process for process in processes(before) if "EngineCore" in (process / "cmdline").read_text()]
    os.kill(int(core.name), signal.SIGKILL)
    assert chat().choices
    assert pid() != before


def test_engine_that_every_call_kills() -> None:
    """vLLM has no attention for heads of 16 on a CPU: it starts, and dies of the first request."""
    with pytest.raises(openai.APIError) as error:
        chat("head16")
    assert "head" in str(error.value).lower() and str(engine("head16").log) in str(error.value)


@pytest.mark.parametrize("keep_alive", ["0", "5"])
def test_killed_caller_leaves_no_orphan(keep_alive: str, tmp_path: Path) -> None:
    args = {**ARGS, "seed": int(keep_alive)}  # an engine that only the caller uses
    text = f"""
import time
for _ in litellm.completion(MODEL, MESSAGES, engine_args={args}, stream=True):
    print(".", flush=True)
time.sleep(600)
"""
    caller = script(text, tmp_path, env={**os.environ, "LEXIQ_NOVA_KEEP_ALIVE": keep_alive})
    assert caller.stdout is not None and caller.stdout.readline()
    group = pid(engine(args=args))
    caller.kill()
    caller.wait()
    eventually(lambda: not processes(group), 60)


def test_stale_socket_and_lock_files() -> None:
    chat()
    folder, before = engine().folder, pid()
    os.killpg(before, signal.SIGKILL)
    eventually(lambda: status() is None, 10)
    assert (folder / "socket").is_socket() and (folder / "alive").exists()
    assert chat().choices


def test_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as disk:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
        if mounted.returncode:
            pytest.skip("needs the right to mount a small disk")
        try:
            monkeypatch.setenv("XDG_RUNTIME_DIR", disk)
            with pytest.raises(OSError, match="No space left"), open(f"{disk}/fill", "wb") as file:
                file.write(bytes(2**20))
            with pytest.raises(openai.APIError, match="No space left on device"):
                chat()
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)  # this process holds its lock there


@pytest.mark.parametrize(
    ("name", "args", "error", "words"),
    [
        ("no/such-model", {}, litellm.NotFoundError, "no/such-model"),
        (None, {"no_such_option": True}, litellm.BadRequestError, "unrecognized arguments: --no-such-option"),
        (None, {"max_model_len": 10**6}, litellm.BadRequestError, "max_model_len"),
    ],
)
def test_failure_to_start(name: str | None, args: dict[str, Any], error: type[Exception], words: str) -> None:
    path = f"lexiq_nova/{name}" if name else model()
    args = {**args, "enforce_eager": True}
    with pytest.raises(error) as failed:
        chat(model=path, engine_args=args)
    log = Engine.of(path.removeprefix("lexiq_nova/"), args).log
    assert words in str(failed.value) and str(log) in str(failed.value)


def test_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "100000")
    args = {**ARGS, "seed": 7}
    with pytest.raises(openai.APIError, match="(?i)memory") as failed:
        chat(engine_args=args)
    assert str(engine(args=args).log) in str(failed.value)


def test_vllm_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -E -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("LEXIQ_NOVA_PYTHON", str(bare))
    with pytest.raises(litellm.BadRequestError, match="vllm is not installed"):
        chat()
