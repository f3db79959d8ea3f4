"""The program `lexiq-nova`, with a stand-in for vLLM, and with what is against it: names, signals, pipes, keys."""

import builtins
import contextlib
import io
import json
import logging
import os
import pty
import runpy
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from litellm.llms.remodlai.command import engines as engines_module
from litellm.llms.remodlai.command import models, screen
from litellm.llms.remodlai.command.parser import main as command
from litellm.llms.remodlai.engine.download import unfinished
from litellm.llms.remodlai.engine.engine import Engine, running_engines
from litellm.llms.remodlai.engine.runtime import ask, wait

from .waiting import eventually

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.usefixtures("machine")

HUB = runpy.run_path(str(Path(__file__).with_name("fake_hub.py")))
PROGRAM = [sys.executable, "-m", "litellm.llms.remodlai"]
HOSTILE = "[bold red]a[/]\n\033[2J$(touch x);`id`"
START_SECONDS = 120.0
WEIGHTS = b"w" * 3000
# The hub's client writes ten MiB at once.
PIECE = 10 * 2**20
LARGE = bytes(range(256)) * (3 * PIECE // 256)
MODEL = {"config.json": b"{}", "model.safetensors": WEIGHTS, "pytorch_model.bin": b"b" * 5000, "onnx/model.onnx": b"o"}
STARTED: "list[subprocess.Popen[Any]]" = []


@pytest.fixture(autouse=True)
def _left_running() -> Iterator[None]:
    """Ends what a test that failed left behind."""
    yield
    for process in STARTED:
        process.kill()  # of one that has ended already nothing is asked
        process.wait()
    STARTED.clear()


def program(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """The program as a process, with pipes."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*PROGRAM, *arguments], **{**streams, **options})
    STARTED.append(process)
    return process


def ended(process: "subprocess.Popen[str]", given: str | None = None) -> tuple[int, str, str]:
    out, err = process.communicate(given, timeout=START_SECONDS)
    return process.returncode, out, err


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """What a command wrote to stdout, as JSON; nothing of an engine's start is on stderr."""
    monkeypatch.setenv("LEXIQ_NOVA_QUIET", "1")
    return lambda: json.loads(capsys.readouterr().out)


def test_preload_ps_list_stop(out: Callable[[], Any], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "config.json").write_text("{}")
    options = "--max-model-len 8 --hf-token a-secret-token"
    assert command(["preload", "lexiq_nova/some/model", str(directory), "--engine-args", options, "--json"]) == 0
    loaded = out()["engines"]
    assert [(each["model"], each["state"]) for each in loaded] == [("some/model", "ready"), (str(directory), "ready")]
    assert all(each["seconds"] >= 0 for each in loaded)
    assert command(["ps", "--json"]) == 0
    [first, second] = sorted(out()["engines"], key=lambda each: each["model"] != "some/model")
    assert first["model"] == "some/model" and second["model"] == str(directory)
    assert first["pid"] == wait(ask(Engine.of("some/model", options).folder, "status"))["pid"]
    assert first["state"] == "ready" and first["requests"] == 0 and first["memory_bytes"] > 2**20
    assert first["keep_alive_seconds"] == 900 and 800 < first["until_seconds"] <= 900
    assert first["options"] == "--hf-token '****' --max-model-len 8" and first["gpu_memory_bytes"] is None
    for name in ("ps", "engines"):
        assert command([name]) == 0
        [heads, *rows] = capsys.readouterr().out.splitlines()
        assert heads.split() == list(engines_module.HEADS) and len(rows) == 2
        assert "a-secret-token" not in "".join(rows) and any("14 min" in row or "15 min" in row for row in rows)
    assert command(["list", "--json"]) == 0
    listed = {each["model"]: each for each in out()["models"]}
    assert listed[str(directory)] == {
        "model": str(directory),
        "size_bytes": 2,
        "state": "ready",
        "path": str(directory),
    }
    assert command(["stop", "other", "--json"]) == 1
    assert out() == {"stopped": [], "left": []}
    assert command(["stop", "some/model", "--json"]) == 0
    assert out() == {"stopped": ["some/model"], "left": []}
    assert command(["stop", "--all", "--json"]) == 0
    assert out() == {"stopped": [str(directory)], "left": []}
    assert not running_engines()


def test_a_log_has_a_line_for_each_start_swap_and_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lexiq_nova")
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    assert command(["preload", "a/model", "b/model"]) == 1
    assert command(["stop"]) == 0

    def words(model: str) -> list[str]:
        said = (record.getMessage().partition(f"lexiq_nova/{model}: ")[2] for record in caplog.records)
        return [line for line in said if line]

    eventually(lambda: "has ended: it was stopped" in words("b/model"), START_SECONDS)
    assert words("a/model")[-1] == "has ended: it gave way to another model"
    assert any(line.startswith("ready after ") for line in words("a/model"))
    assert any(line.startswith("waiting for a/model to finish") for line in words("b/model"))
    assert all(record.levelno == logging.INFO for record in caplog.records if record.name == "lexiq_nova")


def test_preload_says_which_had_to_make_room(
    out: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    assert command(["preload", "a/model", "b/model"]) == 1
    written = capsys.readouterr()
    assert [line.split(" after")[0] for line in written.out.splitlines()] == ["a/model: gone", "b/model: ready"]
    assert written.err.startswith("a/model had to make room") and len(written.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        (["preload", "./nothing"], {}, "there is no model at ./nothing"),
        (["preload", "broken/model"], {}, "head size 7 is not supported"),
        (["preload", "some/model", "--engine-args", "--port 1"], {}, "is set by the provider and cannot be given"),
        (["preload", "some/model"], {"LEXIQ_NOVA_KEEP_ALIVE": "0"}, "ends an engine with its last user"),
        (["preload", "some/model", "--engine-args", "--keep-alive 0"], {}, "ends an engine with its last user"),
        (["preload", "some/model"], {"LEXIQ_NOVA_API_BASE": "http://localhost:1"}, "names a server"),
        (["preload", "some/model"], {"LEXIQ_NOVA_MODELS": "other/*"}, "LEXIQ_NOVA_MODELS allows"),
        (["logs", "some/model"], {}, "there is no log of some/model"),
        (["stop", "some/model"], {}, "no engine of some/model is running"),
        (["run", " "], {}, "not an empty text"),
        (["serve", "some/*"], {}, "takes no wildcard"),
        (["serve", "some/model", "--host", "0.0.0.0"], {}, "by LEXIQ_NOVA_SERVE_KEY"),
        (["serve", "some/model", "--host", "::"], {}, "by LEXIQ_NOVA_SERVE_KEY"),
        (["serve", "some/model"], {"LEXIQ_NOVA_SERVE_KEY": "short"}, "8 characters or more"),
        (["serve", "some/model"], {"LEXIQ_NOVA_SERVE_KEY": "a key with spaces"}, "a header cannot carry"),
        (["serve", "./nothing"], {}, "there is no model at ./nothing"),
        (["serve", "some/model", "some/model"], {}, "two models would be called some/model"),
        (["pull", "."], {}, "there is nothing to fetch"),
        (["pull", "a/b/c"], {}, "is neither a directory nor a model id"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_starts_nothing(
    arguments: list[str],
    variables: dict[str, str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_QUIET", "1")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert command(arguments) == 1
    written = capsys.readouterr()
    assert says in written.err and len(written.err.splitlines()) == 1 and written.out == ""
    assert "a key with spaces" not in written.err
    assert not running_engines()


@pytest.mark.parametrize(
    "arguments",
    [[], ["bake"], ["stop", "a", "--all"], ["serve", "a", "--port", "66666"], ["serve", "a", "--key", "sk-1"]],
)
def test_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command(arguments)
    assert left.value.code == 2 and capsys.readouterr().err


def test_hostile_names_do_nothing(capsys: pytest.CaptureFixture[str], machine: Path) -> None:
    status, answer, error = ended(program("run", HOSTILE, "hi"))
    assert (status, answer) == (1, "") and "\033" not in error and len(error.splitlines()) == 1
    for arguments in (["preload", HOSTILE], ["serve", HOSTILE], ["pull", HOSTILE]):
        assert command(arguments) == 1
        error = capsys.readouterr().err
        assert "\033" not in error and len(error.splitlines()) == 1 and "[bold red]a[/]" in error
    for arguments in (["logs", HOSTILE], ["stop", HOSTILE]):
        assert command(arguments) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert not Path("x").exists() and not running_engines()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_table_shows_names_as_they_are(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    page = io.StringIO()
    page.isatty = lambda: is_terminal  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdout", page)
    monkeypatch.setenv("COLUMNS", "200")
    screen.say_table(("MODEL", "SIZE"), [[HOSTILE, "1"]])
    [heads, row] = page.getvalue().splitlines()
    assert "MODEL" in heads and r"[bold red]a[/]\n\x1b[2J$(touch x);`id`" in row
    assert "\033" not in row and (is_terminal or "\033" not in heads)


def test_without_rich_a_terminal_has_the_plain_table(monkeypatch: pytest.MonkeyPatch) -> None:
    page = io.StringIO()
    page.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdout", page)
    monkeypatch.setattr(screen, "HAS_RICH", False)
    screen.say_table(("MODEL", "SIZE"), [["a", "1"], ["longer", "2"]])
    screen.say_piece("a thought", is_thought=True)
    assert page.getvalue() == "MODEL   SIZE\na       1\nlonger  2\na thought"


def test_a_terminal_gets_no_control_characters_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    page = io.StringIO()
    page.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdout", page)
    screen.say_piece("a\033]0;title\007\tb\r\n\x9b2J👩\u200d💻")
    assert page.getvalue() == "a]0;title\tb\n2J👩\u200d💻"


def test_gpu_memory_is_told_by_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, out: Callable[[], Any]) -> None:
    assert command(["preload", "some/model"]) == 0
    pid = wait(ask(Engine.of("some/model").folder, "status"))["pid"]
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\nprintf '{pid}, 512\\n{pid}, 256\\n1, [N/A]\\n'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    engines = engines_module.seen_engines()
    assert [engine.gpu_memory_bytes for engine in engines] == [768 * 2**20]


def test_an_engine_that_does_not_answer_is_shown_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_QUIET", "1")
    assert command(["preload", "some/model"]) == 0
    pid = wait(ask(Engine.of("some/model").folder, "status"))["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        capsys.readouterr()
        assert command(["ps"]) == 0
        assert "silent" in capsys.readouterr().out
        monkeypatch.setattr(engines_module, "STOP_SECONDS", 1.0)
        assert command(["stop"]) == 1
        assert "the engine of some/model does not end" in capsys.readouterr().err
    finally:
        os.kill(pid, signal.SIGCONT)


def test_one_answer_from_a_pipe_a_prompt_or_both(monkeypatch: pytest.MonkeyPatch) -> None:
    status, answer, err = ended(program("run", "some/model", stdin=subprocess.PIPE), "piped words\n")
    assert (status, answer) == (0, "user: piped words\n \n")
    assert err.splitlines()[-1].startswith("lexiq_nova/some/model: ready after ")
    monkeypatch.setenv("LEXIQ_NOVA_QUIET", "1")
    both = program("run", "some/model", "sum up:", "--system", "be short", stdin=subprocess.PIPE)
    assert ended(both, "a text") == (0, "system: be short user: sum up:\n\na text \n", "")
    for given, says in (("", "there is nothing to answer: the prompt is empty\n"), ("\udcff", "no text in UTF-8")):
        process = program("run", "some/model", stdin=subprocess.PIPE, errors="surrogateescape")
        status, answer, err = ended(process, given)
        assert (status, answer) == (1, "") and says in err and len(err.splitlines()) == 1


def test_a_failed_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_QUIET", "1")
    status, answer, err = ended(program("run", "broken/model", "hi"))
    assert (status, answer) == (1, "") and len(err.splitlines()) == 1
    assert err.startswith("the engine for broken/model did not start: ValueError: head size 7 is not supported")


class Terminal:
    """A person at a terminal with the program on it."""

    def __init__(self, *arguments: str) -> None:
        self.screen, side = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments], stdin=side, stdout=side, stderr=side, start_new_session=True
        )
        STARTED.append(self.process)
        os.close(side)

    def sees(self, words: str, seconds: float = START_SECONDS) -> None:
        assert self._is_shown(words, seconds), self.shown
        self.shown = self.shown.partition(words)[2]

    def _is_shown(self, words: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while words not in self.shown and (left := end - time.monotonic()) > 0:
            with contextlib.suppress(OSError):  # the program has ended
                if select.select([self.screen], [], [], left)[0]:
                    self.shown += os.read(self.screen, 4096).decode(errors="replace")
        return words in self.shown

    def interrupts_a_line(self, words: str) -> None:
        """Presses Ctrl-C until that is seen: Python's readline misses one that comes just before it waits."""
        for _ in range(int(START_SECONDS)):
            self.process.send_signal(signal.SIGINT)
            if self._is_shown(words, 1):
                break
        self.sees(words)

    def types(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def end(self) -> int:
        status = self.process.wait(START_SECONDS)
        os.close(self.screen)
        return status


def test_a_chat_has_history_and_ctrl_c_ends_an_answer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_QUIET", "1")
    person = Terminal("run", "some/model")
    person.sees(">>> ")
    person.types("first\n")
    person.sees("user: first")
    person.sees(">>> ")
    person.types("go on forever\n")
    person.sees("user: first assistant: user: first  user: go on forever on and on")
    person.process.send_signal(signal.SIGINT)
    person.sees(">>> ")
    eventually(lambda: wait(ask(Engine.of("some/model").folder, "status"))["running"] == 0, 5)
    person.types("third\n")
    person.sees("user: go on forever assistant: ")
    person.sees("user: third")
    person.sees(">>> ")
    person.interrupts_a_line("/bye or Ctrl-D ends")
    person.types("/clear\n")
    person.sees(">>> ")
    person.types("fourth\n")
    person.sees("user: fourth")
    person.sees(">>> ")
    person.types("/bye\n")
    assert person.end() == 0


def test_ctrl_d_ends_a_chat_and_ctrl_c_while_it_loads_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    person = Terminal("run", "slow/model")
    person.sees(">>> ")
    person.types("first\n")
    person.sees("lexiq_nova/slow/model: starting vLLM")
    person.process.send_signal(signal.SIGINT)
    person.sees(">>> ")
    person.types("second\n")
    person.sees("user: second")
    person.sees(">>> ")
    person.types("\4")
    assert person.end() == 0
    assert "Traceback" not in person.shown


def test_ctrl_c_ends_a_single_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_QUIET", "1")
    process = program("run", "some/model", "on forever")
    assert process.stdout is not None
    assert process.stdout.read(34).endswith("on and on ")
    process.send_signal(signal.SIGINT)
    status, _, err = ended(process)
    assert (status, err) == (1, "")
    eventually(lambda: wait(ask(Engine.of("some/model").folder, "status"))["running"] == 0, 5)


def test_logs_follow_until_the_engine_ends_and_a_reader_may_go() -> None:
    assert command(["preload", "some/model"]) == 0
    log = Engine.of("some/model").log
    with log.open("a") as file:
        file.writelines(f"line {number}\n" for number in range(50_000))
    first = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$0" -m litellm.llms.remodlai logs some/model | head -1', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert first.stdout == "line 0\n" and first.stderr == "" and first.returncode == 1
    following = program("logs", "-f", "some/model")
    assert following.stdout is not None
    while following.stdout.readline() != "line 49999\n":
        assert following.poll() is None
    with log.open("a") as file:
        file.write("one more\n")
    assert following.stdout.readline() == "one more\n"
    assert following.poll() is None
    assert command(["stop"]) == 0
    assert following.wait(10) == 0
    following.communicate()


class Served:
    """`serve` as a process, on a free port; a context manager."""

    def __init__(self, *arguments: str) -> None:
        self.process = program("serve", *arguments)
        assert self.process.stdout is not None
        lines = [self.process.stdout.readline() for _ in range(3)]
        assert lines[0].startswith("OPENAI_BASE_URL="), (lines, self.process.communicate())
        self.lines = [line.rstrip("\n") for line in lines]
        self.url = self.lines[0].removeprefix("OPENAI_BASE_URL=")
        self.key = self.lines[1].removeprefix("OPENAI_API_KEY=")

    def chat(self, key: str, model: str = "some/model") -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.post(f"{self.url}/chat/completions", headers=headers, json=body, timeout=START_SECONDS)

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def test_serve_answers_who_has_the_key_for_its_models_only(machine: Path) -> None:
    pytest.importorskip("fastapi")
    with Served("some/model", "other/model", "--port", "0") as served:
        assert served.url.startswith("http://127.0.0.1:") and served.key.startswith("sk-") and len(served.key) > 40
        assert served.lines[2] == "models: some/model, other/model"
        for key in ("none", "sk-wrong"):
            assert served.chat(key).status_code in (400, 401)  # 400: without a database, no other key can be known
        assert not running_engines()
        assert served.chat(served.key, "third/model").status_code in (400, 404)
        assert not running_engines()
        assert served.chat(served.key).status_code == 200
        assert [engine.model for engine in running_engines()] == ["some/model"]
        listed = httpx.get(f"{served.url}/models", headers={"Authorization": f"Bearer {served.key}"}).json()["data"]
        assert {each["id"] for each in listed} == {"some/model", "other/model"}
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]
        assert not any(served.key.encode() in line for line in lines)
        port = served.url.rpartition(":")[2].removesuffix("/v1")
        again = ended(program("serve", "some/model", "--port", port))
        assert again == (
            1,
            "",
            f"127.0.0.1:{port} cannot be listened on: Address already in use; take another --port or --host\n",
        )
        assert served.chat(served.key).status_code == 200
        served.process.send_signal(signal.SIGINT)
        status, rest, err = ended(served.process)
        assert status == 0 and rest == "" and served.key not in err and "KeyboardInterrupt" not in err
        assert "lexiq_nova/some/model: ready after" in err
    assert list(machine.glob("lexiq-nova/serve/*")) == []


def test_serve_with_a_key_of_ones_own_and_another_proxy_s_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastapi")
    monkeypatch.setenv("LEXIQ_NOVA_SERVE_KEY", "my-own-long-key")
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-of-another-proxy")
    monkeypatch.setenv("DATABASE_URL", "postgresql://of@another/proxy")
    monkeypatch.setenv("CONFIG_FILE_PATH", "/of/another/proxy.yaml")
    with Served("some/model", "--port", "0") as served:
        assert "my-own-long-key" not in "".join(served.lines)
        assert served.chat("sk-of-another-proxy").status_code in (400, 401)
        assert served.chat("my-own-long-key").status_code == 200


def test_an_engine_of_a_killed_serve_ends(monkeypatch: pytest.MonkeyPatch, machine: Path) -> None:
    pytest.importorskip("fastapi")
    monkeypatch.setenv("LEXIQ_NOVA_KEEP_ALIVE", "1")
    with Served("some/model", "--port", "0") as served:
        assert served.chat(served.key).status_code == 200
        assert running_engines()
        served.process.kill()
        served.process.wait()
    [left] = machine.glob("lexiq-nova/serve/*")  # the next one of this address overwrites it
    assert stat.S_IMODE(left.stat().st_mode) == 0o600 and served.key not in left.read_text()
    eventually(lambda: not running_engines(), 20)


def test_serve_without_the_proxy_s_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def imported(name: str, *args: Any) -> Any:
        if name == "litellm.proxy.proxy_server":
            raise ModuleNotFoundError("No module named 'fastapi'")
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", imported)
    monkeypatch.setenv("LITELLM_MASTER_KEY", "")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert command(["serve", "some/model", "--port", str(port)]) == 1
    written = capsys.readouterr()
    assert (
        written.err == "serve needs LiteLLM's extra `proxy` (`pip install \".[proxy]\"`): No module named 'fastapi'\n"
    )
    assert written.out == ""
    socket.create_server(("127.0.0.1", port)).close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    models = {
        "org/model": MODEL,
        "org/gated": MODEL,
        "org/two": {"config.json": b"{}", "m-Q4.gguf": b"4", "m-Q8.gguf": b"8"},
        "org/large": {"config.json": b"{}", "model.safetensors": LARGE},
    }
    with HUB["serving"](HUB["Hub"](models, gated=("org/gated",))) as hub:
        for name, value in (("ENDPOINT", hub.url), ("HOME", str(tmp_path)), ("HUB_DISABLE_XET", "1")):
            monkeypatch.setenv(f"HF_{name}", value)
        for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield hub


def test_pull_fetches_what_vllm_needs_and_goes_on(hub: Any, tmp_path: Path) -> None:
    status, answer, err = ended(program("pull", "org/model", "--json"))
    assert status == 0, err
    got = json.loads(answer)
    assert (got["model"], got["files"], got["size_bytes"]) == ("org/model", 2, 3002)
    files = {path.relative_to(got["path"]).as_posix() for path in Path(got["path"]).rglob("*") if path.is_file()}
    assert files == {"config.json", "model.safetensors"} == set(hub.fetched)
    (tmp_path / "hub/models--org--model/blobs/x.incomplete").touch()
    status, answer, _ = ended(program("list", "--json"))
    [listed] = json.loads(answer)["models"]
    assert (listed["model"], listed["state"]) == ("org/model", "incomplete") and listed["size_bytes"] >= 3002
    # A file that is not there any more is all that is fetched again.
    Path(got["path"], "config.json").unlink()
    hub.fetched.clear()
    assert ended(program("pull", "org/model"))[0] == 0
    assert "model.safetensors" not in hub.fetched


def test_a_pull_that_is_cut_off_goes_on(hub: Any, tmp_path: Path) -> None:
    """The hub hangs up in the middle of a file: its rest is fetched. Of one that is killed then, nothing stays."""
    blobs = tmp_path / "hub/models--org--large/blobs"
    first = program("pull", "org/large")

    def kill_it() -> None:
        eventually(lambda: any(path.stat().st_size >= 2 * PIECE for path in blobs.glob("*.incomplete")))
        first.kill()

    hub.cuts = [(PIECE + 1000, lambda: None), (PIECE + 1000, kill_it)]
    assert ended(first)[0] == -signal.SIGKILL
    assert len(unfinished(blobs)) == 1
    status, answer, err = ended(program("pull", "org/large", "--json"))
    assert status == 0, err
    assert hub.starts[:2] == [0, PIECE] and hub.fetched.count("config.json") == 1
    assert Path(json.loads(answer)["path"], "model.safetensors").read_bytes() == LARGE
    assert not any(blobs.glob("*.incomplete"))


def test_pull_of_one_quantization(hub: Any) -> None:
    status, answer, err = ended(program("pull", "org/two:Q8", "--json"))
    assert status == 0 and json.loads(answer)["files"] == 2, err
    assert set(hub.fetched) == {"config.json", "m-Q8.gguf"}


@pytest.mark.parametrize(
    ("model", "variables", "says"),
    [
        ("org/nothing", {}, "the hub has no model org/nothing"),
        ("org/gated", {}, "org/gated is gated: accept its licence at"),
        ("org/model", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE keeps it from the hub"),
        ("org/model", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "org/model could not be fetched:"),
    ],
)
def test_what_cannot_be_pulled(
    model: str, variables: dict[str, str], says: str, hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    status, answer, err = ended(program("pull", model))
    last = err.splitlines()[-1]
    assert (status, answer) == (1, "") and says in last and "Traceback" not in err


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_an_error_of_what_the_hub_is_asked_with(
    library: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = pytest.importorskip(library).ConnectError("no route")

    def refused(model: str) -> dict[str, int]:
        raise error

    monkeypatch.setattr(models, "sizes_on_hub", refused)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert command(["pull", "org/model"]) == 1
    assert "org/model could not be fetched: no route" in capsys.readouterr().err


def test_the_installed_program_is_this_one() -> None:
    [entry] = entry_points(group="console_scripts", name="lexiq-nova")
    assert entry.load() is command


def test_until_in_words() -> None:
    seen = SimpleNamespace(model="m", options="", state="ready")
    for values, words in (
        ({"requests": 1, "until_seconds": 5.0}, "in use"),
        ({"until_seconds": 65.2}, "1 min 5 s"),
        ({"keep_alive_seconds": 0}, "its last user ends"),
        ({"keep_alive_seconds": -1}, "stopped"),
        ({}, "-"),
    ):
        assert engines_module.Seen(**vars(seen), **values).until == words
