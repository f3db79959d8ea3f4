"""The local engine's process, sharing and faults, with a stand-in for vLLM that starts at once."""

import asyncio
import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm.llms.remodlai.__main__ import main as command
from litellm.llms.remodlai.common_utils import LexiqNovaError
from litellm.llms.remodlai.completion.handler import TRANSPORT, engine_of, local_server
from litellm.llms.remodlai.engine import Engine, ask, running_engines, runtime_directory, wait
from litellm.llms.remodlai.engine_options import option_tokens

pytest.importorskip("uvicorn")

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory of its own, an interpreter whose vLLM is the stand-in, and no engine left behind."""
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as name:
        home = Path(name)
        package = home / "site/vllm/entrypoints/launchers/api_server"
        package.mkdir(parents=True)
        shutil.copy(HERE / "fake_vllm.py", package / "entry.py")
        for folder in (package, *package.parents[:3]):
            (folder / "__init__.py").touch()
        paths = [str(home / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
        monkeypatch.setenv("LEXIQ_NOVA_PYTHON", sys.executable)
        monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "8")
        monkeypatch.syspath_prepend(str(home / "site"))
        yield home
        command(["stop"])


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(mounts={"lexiq-nova://": TRANSPORT}, timeout=30) as client:
        yield client


def call(client: httpx.Client, model: str = "some/model", **body: Any) -> Any:
    base = local_server(model, body.pop("engine_args", None)).base
    return client.post(f"{base}/chat/completions", json={"model": model, **body}).raise_for_status().json()


def status(model: str = "some/model") -> dict[str, Any] | None:
    return wait(ask(Engine.of(model).folder, "status"))


def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_starts_by_itself_and_stays(client: httpx.Client) -> None:
    first = call(client)
    assert first["path"] == "/v1/chat/completions"
    assert call(client)["pid"] == first["pid"]


def test_server_where_vllm_had_it_before(client: httpx.Client, machine: Path) -> None:
    older = machine / "site/vllm/entrypoints/openai"
    older.mkdir()
    (older / "__init__.py").touch()
    (machine / "site/vllm/entrypoints/launchers/api_server/entry.py").rename(older / "api_server.py")
    shutil.rmtree(machine / "site/vllm/entrypoints/launchers")
    assert call(client)["path"] == "/v1/chat/completions"


def test_options_reach_vllm_and_make_another_engine(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = call(client)
    monkeypatch.setenv("LEXIQ_NOVA_ENGINE_ARGS", "--dtype bfloat16")
    own = call(client, engine_args={"max_model_len": 2048, "enforce_eager": True})
    assert own["pid"] != plain["pid"]
    given = own["argv"][own["argv"].index("--dtype") : own["argv"].index("--uds")]
    assert given == ["--dtype", "bfloat16", "--enforce-eager", "--max-model-len", "2048"]


def test_only_an_engine_over_several_machines_has_an_address(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VLLM_HOST_IP", raising=False)
    assert call(client, engine_args={"tensor_parallel_size": 2})["address"] == "127.0.0.1"
    ray = {"tensor_parallel_size": 8, "pipeline_parallel_size": 2, "distributed_executor_backend": "ray"}
    assert call(client, engine_args=ray)["address"] is None
    monkeypatch.setenv("VLLM_HOST_IP", "10.0.0.1")
    assert call(client, engine_args={"nnodes": 2})["address"] == "10.0.0.1"


def test_option_tokens() -> None:
    options = {"a_b": 1, "on": True, "off": False, "none": None, "many": ["x", "y"], "object": {"k": 1}}
    line = ["--a-b", "1", "--many", "x", "y", "--object", '{"k": 1}', "--no-off", "--on"]
    assert option_tokens(options) == line
    assert option_tokens('{"a_b": 1}') == option_tokens("--a-b 1") == ["--a-b", "1"]
    assert option_tokens(None) == []


def test_the_order_of_options_makes_no_other_engine() -> None:
    assert local_server("m", {"a": 1, "b": 2}) == local_server("m", {"b": 2, "a": 1}) != local_server("m", {"a": 1})


@pytest.mark.parametrize("options", [{"uds": "/tmp/x"}, "--host=0.0.0.0", {"api_key": "k"}, "'", "{"])
def test_options_that_are_refused(options: Any) -> None:
    with pytest.raises(LexiqNovaError) as refused:
        local_server("some/model", options)
    assert refused.value.status_code == 400


def test_a_directory_is_one_engine_however_it_is_spelt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    assert local_server("model") == local_server(str(tmp_path / "model")) == local_server(f"{tmp_path}/./model/")
    assert local_server("model") != local_server("other")


def test_many_threads_start_one(client: httpx.Client) -> None:
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: call(client, "slow/model"), range(16)))
    assert len({answer["pid"] for answer in answers}) == 1


def test_many_processes_start_one() -> None:
    script = (
        "import httpx; from litellm.llms.remodlai.completion.handler import TRANSPORT, local_server\n"
        "client = httpx.Client(mounts={'lexiq-nova://': TRANSPORT}, timeout=60)\n"
        "print(client.post(local_server('slow/model').base + '/x', json={}).json()['pid'])"
    )
    callers = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(3)]
    assert len({caller.communicate()[0] for caller in callers}) == 1
    assert all(caller.returncode == 0 for caller in callers)


def test_the_event_loop_goes_on_and_two_loops_in_turn_work() -> None:
    async def main() -> tuple[int, int]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.01)
                beats += 1

        beating = asyncio.create_task(beat())
        async with httpx.AsyncClient(mounts={"lexiq-nova://": TRANSPORT}, timeout=30) as client:
            url = local_server("slow/model").base + "/chat/completions"
            answers = await asyncio.gather(*(client.post(url, json={}) for _ in range(64)))
        beating.cancel()
        assert len({answer.json()["pid"] for answer in answers}) == 1
        return answers[0].json()["pid"], beats

    pid, beats = asyncio.run(main())
    assert beats > 20  # the model loads for two seconds
    assert asyncio.run(main())[0] == pid


def test_fork_after_start(client: httpx.Client) -> None:
    pid = call(client)["pid"]
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=lambda: answers.put(call(client)["pid"]))
    child.start()
    assert answers.get(timeout=20) == pid
    child.join()
    assert call(client)["pid"] == pid


def test_killed_engine_is_replaced(client: httpx.Client) -> None:
    pid = call(client)["pid"]
    os.kill(pid, signal.SIGKILL)
    assert call(client)["pid"] != pid


def test_worker_of_a_killed_engine_goes_before_the_next_comes(client: httpx.Client) -> None:
    pid = call(client, "forking/model")["pid"]
    worker = int(Path(f"/proc/{pid}/task/{pid}/children").read_text())
    os.kill(pid, signal.SIGKILL)
    assert call(client, "forking/model")["pid"] != pid
    assert not Path(f"/proc/{worker}/fd").exists() or not os.listdir(f"/proc/{worker}/fd")


def test_killed_while_answering_is_asked_once_more(client: httpx.Client) -> None:
    pid = call(client)["pid"]
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(call, client, seconds=3)
        eventually(lambda: (status() or {}).get("running") == 1)
        os.kill(pid, signal.SIGKILL)
        assert answer.result()["pid"] != pid


def test_a_call_that_kills_every_engine_ends(client: httpx.Client) -> None:
    call(client)
    with pytest.raises(LexiqNovaError, match="died of this call twice"):
        call(client, kill=True)


def test_killed_in_the_middle_of_a_stream(client: httpx.Client) -> None:
    url = local_server("some/model").base + "/chat/completions"
    pid = call(client)["pid"]
    with pytest.raises(httpx.TransportError), client.stream("POST", url, json={"stream": True}) as answer:
        for _ in answer.iter_bytes():
            os.kill(pid, signal.SIGKILL)
    assert call(client)["pid"] != pid


def test_dead_inside_is_replaced_once_for_all_callers(client: httpx.Client) -> None:
    pid = call(client)["pid"]
    url = local_server("some/model").base + "/chat/completions"
    TRANSPORT._to(Engine.of("some/model")).handle_request(
        httpx.Request("POST", url.replace("lexiq-nova", "http"), json={"kill_inside": True})
    ).read()
    with ThreadPoolExecutor(8) as threads:
        answers = {answer["pid"] for answer in threads.map(lambda _: call(client), range(8))}
    assert len(answers) == 1 and pid not in answers


def test_failure_is_told_once_to_all_that_wait(client: httpx.Client) -> None:
    def failing(_: int) -> str:
        with pytest.raises(LexiqNovaError) as failed:
            call(client, "broken/slow")
        return failed.value.message

    with ThreadPoolExecutor(4) as threads:
        messages = set(threads.map(failing, range(4)))
    log = Engine.of("broken/slow").log
    assert len(messages) == 1
    assert f"ValueError: head size 7 is not supported (full log: {log})" in messages.pop()


def test_unknown_option_is_a_bad_request(client: httpx.Client) -> None:
    with pytest.raises(LexiqNovaError, match="unrecognized arguments: --no-such-option") as failed:
        call(client, engine_args={"no_such_option": True})
    assert failed.value.status_code == 400


def test_vllm_not_installed(client: httpx.Client, monkeypatch: pytest.MonkeyPatch, machine: Path) -> None:
    bare = machine / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -E -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("LEXIQ_NOVA_PYTHON", str(bare))
    with pytest.raises(LexiqNovaError, match="vllm is not installed") as failed:
        call(client)
    assert failed.value.status_code == 400
    assert "LEXIQ_NOVA_API_BASE" in failed.value.message
    monkeypatch.setenv("LEXIQ_NOVA_PYTHON", str(machine / "nothing"))
    with pytest.raises(LexiqNovaError, match="nothing cannot be run: No such file"):
        call(client)


def test_timeout_bounds_the_wait_and_the_engine_goes_on_loading(client: httpx.Client) -> None:
    url = local_server("slow/model").base + "/chat/completions"
    with pytest.raises(httpx.ReadTimeout):
        client.post(url, json={}, timeout=0.5)
    loading = (status("slow/model") or {})["pid"]
    assert call(client, "slow/model")["pid"] == loading


def test_least_recently_used_makes_room_but_never_one_that_answers(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(client, "a")
    call(client, "b")
    url = local_server("a").base + "/chat/completions"
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "2")
    with client.stream("POST", url, json={"stream": True}):
        call(client, "c")
        assert {engine.model for engine in running_engines()} == {"a", "c"}
    call(client, "d")
    assert {engine.model for engine in running_engines()} == {"a", "d"}  # its stream ended after c's only call


def test_idle_engine_ends(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_KEEP_ALIVE", "1")
    pid = call(client)["pid"]
    eventually(lambda: not running_engines())
    assert call(client)["pid"] != pid


@pytest.mark.parametrize("keep_alive", ["0", "1"])
def test_engine_of_a_killed_caller_ends(keep_alive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_KEEP_ALIVE", keep_alive)
    script = (
        "import httpx; from litellm.llms.remodlai.completion.handler import TRANSPORT, local_server\n"
        "client = httpx.Client(mounts={'lexiq-nova://': TRANSPORT}, timeout=60)\n"
        "with client.stream('POST', local_server('some/model').base + '/x', json={'stream': True}) as answer:\n"
        "    for _ in answer.iter_bytes(): print('.', flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None and caller.stdout.readline()
        time.sleep(2)
        assert running_engines()
        caller.kill()
    eventually(lambda: not running_engines())


def test_closed_stream_and_cancelled_call_are_not_running(client: httpx.Client) -> None:
    url = local_server("some/model").base + "/chat/completions"
    with client.stream("POST", url, json={"stream": True}):
        assert (status() or {})["running"] == 1
    eventually(lambda: (status() or {})["running"] == 0, 1)

    async def main() -> None:
        async with httpx.AsyncClient(mounts={"lexiq-nova://": TRANSPORT}) as client:
            with pytest.raises(asyncio.TimeoutError):
                async with client.stream("POST", url, json={"stream": True}) as answer:
                    await asyncio.wait_for(answer.aread(), 0.2)

    asyncio.run(main())
    eventually(lambda: (status() or {})["running"] == 0, 1)


def test_stale_files_are_no_obstacle(client: httpx.Client) -> None:
    pid = call(client)["pid"]
    folder = Engine.of("some/model").folder
    os.kill(pid, signal.SIGKILL)
    (folder / "junk").touch()
    assert call(client)["pid"] != pid
    assert not (folder / "junk").exists()


def test_nobody_else_can_enter() -> None:
    folder = runtime_directory()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    with pytest.raises(LexiqNovaError, match="mode 0700"):
        runtime_directory()
    folder.chmod(0o700)


def test_files_are_private_and_the_process_list_shows_no_option(client: httpx.Client) -> None:
    pid = call(client, engine_args={"hf_token": "secret"})["pid"]
    folder = Engine.of("some/model", {"hf_token": "secret"}).folder
    private = ("engine.json", "log", "alive", "starting", "users")
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in private} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"secret" not in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk_is_a_clear_error(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        with open("/dev/full", "wb") as disk:
            disk.write(data)

    monkeypatch.setattr("litellm.llms.remodlai.engine._write", full)
    with pytest.raises(LexiqNovaError, match="No space left on device"):
        call(client)


def test_a_call_that_names_no_engine(client: httpx.Client) -> None:
    nothing = httpx.Request("GET", "lexiq-nova://local/v1/models")
    with pytest.raises(LexiqNovaError, match="not exactly one engine is running"):
        engine_of(nothing)
    call(client)
    assert engine_of(nothing).model == "some/model"
    assert engine_of(httpx.Request("POST", "lexiq-nova://local/v1/completions", json={"model": "m"})).model == "m"
    upload = httpx.Request("POST", "lexiq-nova://local/v1/audio", files={"file": b"RIFF", "model": (None, "whisper")})
    upload.read()
    assert engine_of(upload).model == "whisper"


def test_command(client: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    pid = call(client)["pid"]
    assert command(["engines"]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[0] == "some/model" and row[1] == str(pid) and row[-2:] == ["0", "ready"]
    assert command(["logs", "some/model"]) == 0
    assert command(["stop", "other"]) == 1
    assert command(["stop", "some/model"]) == 0
    assert not running_engines()
    assert command(["logs", "nothing"]) == 1
