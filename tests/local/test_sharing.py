"""One engine for all: sixty-four calls at once on a cold one, other processes, both providers, every way to call."""

import asyncio
import contextlib
import os
import pty
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from local.engines import (
    ARGS,
    LONG,
    MESSAGES,
    SECRET,
    achat,
    chat,
    engine,
    generating,
    model,
    pid,
    processes,
    script,
    status,
)

import litellm
from litellm.llms.remodlai.__main__ import main as command
from support.waiting import eventually


def test_sixty_four_calls_and_another_process_at_once_on_a_cold_engine(tmp_path: Path) -> None:
    command(["stop"])
    screen, terminal = pty.openpty()
    text = "print(litellm.completion(MODEL, MESSAGES, engine_args=ARGS, max_tokens=4).usage)"
    other = script(text, tmp_path, stderr=terminal)
    os.close(terminal)

    async def at_once() -> None:
        answers = await asyncio.gather(*(achat() for _ in range(64)))
        assert all(answer.usage.completion_tokens for answer in answers)

    with ThreadPoolExecutor(1) as thread:
        shown = thread.submit(everything, screen)
        asyncio.run(at_once())
        assert other.communicate()[0] and other.returncode == 0
    assert engine().log.read_text().count("Started server process") == 1
    # One line, written over and over, and gone at the end.
    lines = [line for line in shown.result().split("\r\033[K") if line.startswith("lexiq_nova/")]
    assert any(re.fullmatch(r"lexiq_nova/\S+: warming up \(\d+ s\)", line) for line in lines), lines
    assert not any("\n" in line for line in lines)


def everything(screen: int) -> str:
    """What a terminal was shown until its last process went."""
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(screen, 4096):
            shown += piece
    os.close(screen)
    return shown.decode()


def test_both_providers_and_two_event_loops_in_turn() -> None:
    chat()
    before = pid()
    assert asyncio.run(achat()).choices
    assert asyncio.run(achat(model=model(provider="remodlai"))).choices
    assert pid() == before


def test_script_without_a_guard_thread_and_fork_after_start(tmp_path: Path) -> None:
    chat()
    before = pid()
    text = """
import asyncio, os, threading
def ask():
    return litellm.completion(MODEL, MESSAGES, engine_args=ARGS, max_tokens=4).usage.completion_tokens
assert ask()
thread = threading.Thread(target=ask)
thread.start()
thread.join()
child = os.fork()
if not child:
    os._exit(0 if ask() and ask() else 1)
assert ask()
assert os.waitpid(child, 0)[1] == 0
async def notebook():
    assert ask()
    assert (await litellm.acompletion(MODEL, MESSAGES, engine_args=ARGS, max_tokens=4)).choices
asyncio.run(notebook())
asyncio.run(notebook())
print("all")
"""
    caller = script(text, tmp_path)
    assert caller.communicate(timeout=120)[0].endswith("all\n")
    assert pid() == before


def test_batch_completion_fills_the_engines_batch() -> None:
    chat()
    with ThreadPoolExecutor(1) as thread:
        batch = thread.submit(
            litellm.batch_completion,
            model=model(),
            messages=[MESSAGES] * 16,
            engine_args=ARGS,
            max_tokens=200,
            extra_body={"ignore_eos": True},
        )
        eventually(lambda: generating() > 8, 30)
        assert all(answer.usage.completion_tokens == 200 for answer in batch.result())


def test_router_passes_the_engines_options() -> None:
    deployment = {"model_name": "local", "litellm_params": {"model": model(), "engine_args": ARGS}}
    answer = litellm.Router(model_list=[deployment]).completion("local", MESSAGES, max_tokens=4)
    assert answer.choices
    assert status()


def test_text_completion_responses_and_messages() -> None:
    options = {"model": model(), "engine_args": ARGS}
    assert litellm.text_completion(prompt="One, two", max_tokens=4, **options).choices[0].text is not None
    assert litellm.responses(input="Count.", max_output_tokens=8, **options).status in ("completed", "incomplete")
    answer = asyncio.run(litellm.anthropic.messages.acreate(messages=MESSAGES, max_tokens=4, **options))
    assert answer["role"] == "assistant"


def test_cancelled_call_and_closed_stream_stop_the_generation() -> None:
    chat()

    async def cancelled() -> None:
        call = asyncio.create_task(achat(**LONG))
        await asyncio.sleep(0.3)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(cancelled())
    eventually(lambda: generating() == 0, 1)

    async def closed() -> None:
        stream = await achat(stream=True, **LONG)
        await anext(aiter(stream))
        assert await asyncio.to_thread(generating) == 1
        await stream.aclose()
        await asyncio.to_thread(eventually, lambda: generating() == 0, 1)

    asyncio.run(closed())
    stream = chat(stream=True, **LONG)
    next(iter(stream))
    assert generating() == 1
    stream.close()
    eventually(lambda: generating() == 0, 1)


def test_nothing_listens_beyond_loopback_and_nobody_else_can_enter() -> None:
    chat()
    for process in processes(pid()):
        assert SECRET not in (process / "cmdline").read_text()
    mine = {
        os.readlink(file)
        for process in processes(pid())
        for file in (process / "fd").iterdir()
        if os.path.lexists(file)
    }
    for table, loopback in (("tcp", ("0100007F",)), ("tcp6", ("0" * 24 + "01000000", "0" * 16 + "FFFF00000100007F"))):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine:
                assert fields[1].split(":")[0] in loopback
    folder = engine().folder
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in folder.iterdir()} == {0}


def test_command_lists_stops_and_shows_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    chat()
    run = subprocess.run(
        [sys.executable, "-m", "litellm.llms.remodlai", "engines"], capture_output=True, text=True, check=True
    )
    row = run.stdout.splitlines()[1].split()
    assert row[:4] == [engine().model, str(pid()), "ready", "0"] and row[5] in ("MiB", "GiB") and SECRET not in row
    assert command(["logs", engine().model]) == 0
    assert "Application startup complete" in capsys.readouterr().out
