"""What must survive: every fault that a local engine and its callers can meet once it runs, on a real vLLM."""

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest
from local.engines import ARGS, LONG, achat, chat, engine, pid, processes, script

from support.waiting import eventually


def test_killed_while_idle() -> None:
    chat()
    before = pid()
    os.kill(before, signal.SIGKILL)
    assert chat().choices
    assert pid() != before


def test_killed_in_the_middle_of_streams_and_stale_files() -> None:
    chat()
    before = pid()

    def read() -> float:
        with pytest.raises(openai.APIError):
            for _ in chat(stream=True, **LONG):
                begun.append(1)
        return time.monotonic()

    async def aread() -> float:
        with pytest.raises(openai.APIError):
            async for _ in await achat(stream=True, **LONG):
                begun.append(2)
        return time.monotonic()

    begun: list[int] = []
    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(read), threads.submit(lambda: asyncio.run(aread()))]
        eventually(lambda: {1, 2} <= set(begun), 30)
        os.killpg(before, signal.SIGKILL)
        killed = time.monotonic()
        assert max(reader.result(timeout=60) for reader in readers) - killed < 5
    folder = engine().folder
    assert (folder / "socket").is_socket() and (folder / "control").is_socket() and (folder / "alive").exists()
    assert chat().choices
    assert pid() != before


def test_dead_inside_is_replaced_while_the_event_loop_goes_on() -> None:
    chat()
    before = pid()
    [core] = [process for process in processes(before) if "EngineCore" in (process / "cmdline").read_text()]
    os.kill(int(core.name), signal.SIGKILL)

    async def main() -> float:
        gaps = []

        async def beat() -> None:
            while True:
                began = time.monotonic()
                await asyncio.sleep(0.02)
                gaps.append(time.monotonic() - began - 0.02)

        beating = asyncio.create_task(beat())
        assert (await achat()).choices
        beating.cancel()
        return max(gaps)

    gap = asyncio.run(main())
    assert pid() != before
    assert gap < 0.25


def test_killed_callers_leave_no_orphans(tmp_path: Path) -> None:
    """One engine was asked to go with its last user (0), the other one is idle from then on (5 seconds)."""
    engines = {keep_alive: engine(args={**ARGS, "seed": keep_alive}) for keep_alive in (0, 5)}
    callers = []
    for keep_alive in engines:
        (folder := tmp_path / str(keep_alive)).mkdir()
        text = f"""
import time
while True:
    for _ in litellm.completion(MODEL, MESSAGES, engine_args={{**ARGS, "seed": {keep_alive}}}, stream=True):
        print(".", flush=True)
    time.sleep(0.5)
"""
        limits = {"LEXIQ_NOVA_KEEP_ALIVE": str(keep_alive), "LEXIQ_NOVA_MAX_ENGINES": "3"}
        callers.append(script(text, folder, env={**os.environ, **limits}))
    for caller in callers:
        assert caller.stdout is not None and caller.stdout.readline()
    groups = [pid(one) for one in engines.values()]
    for caller in callers:
        caller.kill()
        caller.communicate()
    eventually(lambda: not any(map(processes, groups)), 20)


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
