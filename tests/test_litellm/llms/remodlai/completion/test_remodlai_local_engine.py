"""The local engine's process, sharing and faults, with a stand-in for vLLM that starts at once."""

import asyncio
import json
import multiprocessing
import os
import re
import runpy
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

import litellm
from litellm.llms.remodlai.command.engines import stop
from litellm.llms.remodlai.engine.address import engine_of, local_server
from litellm.llms.remodlai.engine.end import engines_of_other_users
from litellm.llms.remodlai.engine.engine import Engine, running_engines
from litellm.llms.remodlai.engine.models import local_models
from litellm.llms.remodlai.engine.options import in_one_form, option_tokens
from litellm.llms.remodlai.engine.runtime import ask, runtime_directory, wait
from litellm.llms.remodlai.engine.start import Start
from litellm.llms.remodlai.engine.transport import TRANSPORT
from litellm.llms.remodlai.errors import LexiqNovaError

from .waiting import eventually

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(mounts={"lexiq-nova://": TRANSPORT}, timeout=30) as client:
        yield client


def call(client: httpx.Client, model: str = "some/model", **body: Any) -> Any:
    base = local_server(model, body.pop("engine_args", None)).base
    answer = client.post(f"{base}/chat/completions", json={"model": model, **body})
    if answer.is_error:
        raise LexiqNovaError(status_code=answer.status_code, message=answer.text)
    return answer.json()


def status(model: str = "some/model") -> dict[str, Any] | None:
    return wait(ask(Engine.of(model).folder, "status"))


def test_starts_by_itself_and_stays(client: httpx.Client) -> None:
    first = call(client)
    assert first["path"] == "/v1/chat/completions"
    assert call(client)["pid"] == first["pid"]


def test_ctrl_c_in_a_stream_is_not_the_engines(client: httpx.Client, tmp_path: Path) -> None:
    """A terminal sends it to the whole group of the program that it runs."""
    before = call(client)["pid"]
    program = tmp_path / "program.py"
    program.write_text(
        "import litellm\n"
        "forever = [{'role': 'user', 'content': 'say it forever'}]\n"
        "for chunk in litellm.completion('lexiq_nova/some/model', forever, stream=True):\n"
        "    print(chunk.choices[0].delta.content, flush=True)\n"
    )
    running = subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert running.stdout is not None and running.stdout.readline()
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert "KeyboardInterrupt" in said
    assert call(client)["pid"] == before


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
    assert option_tokens({"device_ids": [0, 3]}) == ["--device-ids", "0,3"]
    assert option_tokens(options) == line
    assert option_tokens('{"a_b": 1}') == option_tokens("--a-b 1") == ["--a-b", "1"]
    assert option_tokens(None) == []


def test_the_order_of_options_makes_no_other_engine() -> None:
    both = local_server("m", {"seed": 1, "dtype": 2})
    assert both == local_server("m", {"dtype": 2, "seed": 1}) != local_server("m", {"seed": 1})


@pytest.mark.parametrize(
    "same",
    [
        [
            "--max-model-len 8 -tp 2",
            "--max_model_len=8 --tensor-parallel-size=2",
            {"tensor_parallel_size": 2, "max_model_len": 8},
        ],
        ["--seed 1 --seed 2", {"seed": 2}, ["--seed", "2"], '{"seed": 2}', "--seed=2"],
        ["--no-enforce-eager", {"enforce_eager": False}, "--enforce-eager --no_enforce_eager"],
        [{"compilation_config": {"a": 1, "b": 2}}, """--compilation-config '{"b":2,"a":1}'"""],
        [{"lora_modules": ["a=/a", "b=/b"]}, "--lora-modules a=/a b=/b"],
        ["--swap-space -1", "--swap-space=-1", {"swap_space": -1}],
    ],
)
def test_options_that_vllm_reads_alike_are_one_engine(same: list[Any]) -> None:
    assert len({local_server("m", options).base for options in same}) == 1
    assert local_server("m", same[0]) != local_server("m")


def test_what_vllm_reads_is_what_was_given() -> None:
    line = "--chat-template=--x -O3 --middleware a.b --middleware c.d --swap-space -1 --hf-overrides.b_c=1"
    words = ["--hf-overrides.b_c", "1", "--middleware", "a.b", "--middleware", "c.d", "--swap-space", "-1"]
    assert in_one_form(option_tokens(line)) == ("-O3", "--chat-template=--x", *words)


@pytest.mark.parametrize("options", [5, 1.5, True, {"a"}])
def test_no_options_at_all_are_refused(options: Any) -> None:
    with pytest.raises(LexiqNovaError, match=r"engine_args=.* are no options: they are a dict") as refused:
        local_server("m", options)
    assert refused.value.status_code == 400


def test_another_environment_is_another_engine(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = call(client)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    second = call(client)
    assert (first["devices"], second["devices"]) == (None, "1") and second["pid"] != first["pid"]
    assert {engine.environment for engine in running_engines()} >= {Engine.of("some/model").environment}
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "DEBUG")
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert call(client)["pid"] == second["pid"]
    base = local_server("some/model")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "2")
    assert local_server("some/model") != base


def test_variables_of_a_call_make_another_engine(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = call(client)
    own = {"env": {"CUDA_VISIBLE_DEVICES": [0, 3], "LD_PRELOAD": "", "MINE": 1}}
    second = call(client, engine_args=own)
    assert second["devices"] == "0,3" and second["preloaded"] == "" and "MINE" in second["environment"]
    assert second["pid"] != first["pid"] and "--env" not in second["argv"]
    for same in (json.dumps(own), ["--env", json.dumps(own["env"])], {**own, "keep_alive": 7, "priority": 1}):
        assert call(client, engine_args=same)["pid"] == second["pid"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")  # the call's own wins, and the devices are what it names
    assert call(client, engine_args=own)["pid"] == second["pid"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(LexiqNovaError, match="is not on this machine"):
        call(client, "some/other")
    assert call(client, "some/other", engine_args={"env": {"HF_HUB_OFFLINE": 0}})["pid"]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        *(({"keep_alive": value}, "keep_alive must be a number") for value in ("soon", "nan", "inf", "1e999", [1, 2])),
        *(({"priority": value}, "priority must be a number") for value in ("high", "NaN")),
        *(({"keep_alive": value}, "keep_alive needs a value") for value in (True, False)),
        *(({"progress_chunks": value}, "progress_chunks is on or off") for value in ("yes", 1, [True])),
        *((line, "progress_chunks is on or off") for line in ("--progress-chunks.a", "--no-progress-chunks 1")),
        *((line, "needs a value") for line in ("--keep-alive", "--env.A 1", {"no_env": True})),
        *(({"env": value}, "env must be a dict") for value in ("HF_TOKEN=hf_SECRET", ["hf_SECRET"], 5)),
        *(({"env": {name: "1"}}, "env cannot set") for name in ("", "A=B", "A\0")),
        *(({"env": {"A": value}}, "env cannot set 'A'") for value in (None, True, {}, [[1]], "\0", "\ud800")),
        *(({"env": {name: "hf_SECRET"}}, "set by the provider") for name in ("VLLM_API_KEY", "VLLM_RPC_BASE_PATH")),
    ],
)
def test_wishes_that_are_refused(option: Any, says: str) -> None:
    with pytest.raises(LexiqNovaError, match=says) as refused:
        local_server("some/model", option)
    assert refused.value.status_code == 400 and "SECRET" not in refused.value.message


def test_the_latest_call_that_says_so_decides_how_long_an_engine_stays(client: httpx.Client) -> None:
    first = call(client, engine_args={"keep_alive": 300, "priority": 2})
    assert {"keep_alive": 300, "priority": 2}.items() <= (status() or {}).items()
    assert call(client)["pid"] == first["pid"]
    assert {"keep_alive": 300, "priority": 2}.items() <= (status() or {}).items()
    call(client, engine_args={"priority": -1})
    assert {"keep_alive": 300, "priority": -1}.items() <= (status() or {}).items()
    call(client, engine_args="--keep-alive 1")
    eventually(lambda: not running_engines())


def test_the_lowest_priority_gives_way_first(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    call(client, "important", engine_args={"priority": 1})
    call(client, "a")
    call(client, "b")
    for model in ("a", "b"):
        wait_until_free(model)
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "3")
    call(client, "c")
    assert {engine.model for engine in running_engines()} == {"important", "b", "c"}


def test_a_header_is_no_way_to_wish(client: httpx.Client) -> None:
    """A proxy hands its clients' headers on, and their bodies."""
    url = local_server("some/model", {"keep_alive": 60}).base + "/chat/completions"
    body = {"engine_args": {"keep_alive": -1}, "priority": 9, "keep_alive": -1, "env": {"LD_PRELOAD": "x"}}
    answer = client.post(url, json=body, headers={"X-Lexiq-Nova-Wishes": '{"keep_alive": -1, "priority": 9}'}).json()
    assert answer["headers"]["x-lexiq-nova-wishes"] == '{"keep_alive": 60.0}'
    local_server("some/model")
    answer = client.post(url, json=body, headers={"X-Lexiq-Nova-Wishes": "{"}).json()
    assert "x-lexiq-nova-wishes" not in answer["headers"] and not answer["preloaded"]
    assert {"keep_alive": 60, "priority": 0}.items() <= (status() or {}).items()


def test_a_load_that_no_call_waits_for_gives_way(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its caller lives on and has gone on to something else; another call finds it while nobody wants its place."""
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    url = local_server("endless/model").base + "/chat/completions"
    assert client.post(url, json={}, timeout=0.5).status_code == 408
    eventually(lambda: (status("endless/model") or {}).get("state") == "loading")
    began = time.monotonic()
    assert call(client, "other")["pid"]
    assert 4 < time.monotonic() - began < 15
    assert {engine.model for engine in running_engines()} == {"other"}


def test_a_load_that_a_call_waits_for_is_not_given_away(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    monkeypatch.setenv("LEXIQ_NOVA_PATIENCE", "0")
    with ThreadPoolExecutor(2) as threads:
        waiting = threads.submit(call, client, "slow/model")
        eventually(lambda: (status("slow/model") or {}).get("state") == "loading")
        other = threads.submit(call, client, "other")
        assert waiting.result(30)["pid"] and other.result(30)["pid"]


def test_a_call_that_comes_as_its_load_gives_way_starts_it_anew(client: httpx.Client) -> None:
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(call, client, "slow/model")
        eventually(lambda: (status("slow/model") or {}).get("state") == "loading")
        loading = status("slow/model") or {}
        (Engine.of("slow/model").folder / "gave-way").touch()
        os.kill(loading["pid"], signal.SIGTERM)
        assert waiting.result(30)["pid"] != loading["pid"]


def test_adapters_are_names_of_their_engine(client: httpx.Client) -> None:
    modules = ["sql=/adapters/sql", {"name": "poet", "path": "/adapters/poet"}]
    options = {"enable_lora": True, "lora_modules": modules}
    base = call(client, "org/base", engine_args=options)
    for name in ("sql", "poet", "org/base"):
        answer = call(client, name, engine_args={"model": "org/base", **options})
        assert answer["pid"] == base["pid"] and answer["model"] == name
    with pytest.raises(LexiqNovaError, match="no model or adapter typo; it has org/base, sql, poet") as refused:
        call(client, "typo", engine_args={"model": "org/base", **options})
    assert refused.value.status_code == 404
    url = f"{local_server('org/base', options).base}/chat/completions"
    unknown = client.post(url, json={"model": "typo"})
    assert unknown.status_code == 404 and "no model or adapter typo" in unknown.text
    assert client.post(url, json={"model": "poet"}).json()["model"] == "poet"


@pytest.mark.parametrize(
    "options",
    [
        *({"uds": "/tmp/x"}, "--host=0.0.0.0", {"api_key": "k"}, "'", "{", {"config": "f.yaml"}),
        # what vLLM's parser completes, reads as part of an option, or knows by another name
        *("--ho 0.0.0.0", "--por=1", {"api_k": "k"}, "--api_k=k", {"conf": "f.yaml"}, "--host.x 0.0.0.0", "--headl"),
        *("-asc 2", "-as=2", "-hl", "--enforce-eager --", {"served-model-name": "--ho=0.0.0.0"}, "--s=x"),
    ],
)
def test_options_that_are_refused(options: Any) -> None:
    with pytest.raises(LexiqNovaError) as refused:
        local_server("some/model", options)
    assert refused.value.status_code == 400


def test_options_that_only_look_like_the_providers_own() -> None:
    line = "--hf-token x --portable 1 --model-impl auto --config-format auto -tp 2 -dp 1 --swap-space -1 -O3"
    assert option_tokens(line) == line.split()


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
        "import httpx\n"
        "from litellm.llms.remodlai.engine.address import local_server\n"
        "from litellm.llms.remodlai.engine.transport import TRANSPORT\n"
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


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "The model wrote: EngineCore encountered an issue.", "code": 500}},
        {"detail": "EngineCore encountered an issue. See stack trace (above) for the root cause."},
        ["EngineCore encountered an issue"],
        # word for word, from an engine that says it is well
        {"error": {"message": "EngineCore encountered an issue. See stack trace (above)", "code": 500}},
    ],
)
def test_an_engine_that_lives_is_not_replaced_for_what_it_says(client: httpx.Client, said: Any) -> None:
    pid = call(client)["pid"]
    with pytest.raises(LexiqNovaError, match="EngineCore encountered an issue") as told:
        call(client, say=said)
    assert told.value.status_code == 500
    assert call(client)["pid"] == pid

    async def main() -> int:
        async with httpx.AsyncClient(mounts={"lexiq-nova://": TRANSPORT}, timeout=30) as client:
            url = local_server("some/model").base + "/chat/completions"
            assert (await client.post(url, json={"say": said})).status_code == 500
            return (await client.post(url, json={})).json()["pid"]

    assert asyncio.run(main()) == pid


def test_an_engine_is_told_to_kill_only_itself(client: httpx.Client) -> None:
    """Its process id may be a stranger's here, where it runs in a PID namespace of its own."""
    pid = call(client)["pid"]
    engine = Engine.of("some/model")
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        wait(Start(engine)._kill(stranger.pid))
        assert stranger.poll() is None and (status() or {})["pid"] == pid
        stranger.kill()
    wait(Start(engine)._kill(pid))
    assert status() is None
    assert call(client)["pid"] != pid


def test_no_number_from_an_answer_is_signalled(client: httpx.Client) -> None:
    """A keeper that says it is somebody else's process, as one in another PID namespace does by its mere truth."""
    engine = Engine.of("some/model")
    engine.folder.mkdir(mode=0o700)
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        with socket.socket(socket.AF_UNIX) as keeper, ThreadPoolExecutor(1) as thread:
            keeper.bind(str(engine.folder / "control"))
            keeper.listen()

            def answer() -> None:
                with keeper.accept()[0] as connection:
                    connection.recv(64)
                    keeper.close()
                    connection.sendall(json.dumps({"pid": stranger.pid}).encode())

            answered = thread.submit(answer)
            wait(Start(engine)._kill(stranger.pid))
            answered.result()
        assert stranger.poll() is None
        stranger.kill()


def test_the_engine_has_none_of_its_callers_secrets(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("LITELLM_MASTER_KEY", "DATABASE_URL", "OPENAI_API_KEY", "VLLM_API_KEY", "REMODLAI_API_KEY", "REDIS_URL")
    for name in (*secrets, "HF_TOKEN", "CUDA_VISIBLE_DEVICES", "https_proxy", "MINE_A", "MINE_B", "NOT_MINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("LEXIQ_NOVA_ENGINE_ENV", "MINE_*, AWS_REGION")
    answer = call(client)
    given = set(answer["environment"])
    assert given.isdisjoint({*secrets, "NOT_MINE"})
    assert given >= {"HF_TOKEN", "CUDA_VISIBLE_DEVICES", "https_proxy", "MINE_A", "MINE_B", "PATH", "PYTHONPATH"}
    if os.path.exists("/proc/self/environ"):
        assert not any(name.encode() + b"=" in Path(f"/proc/{answer['pid']}/environ").read_bytes() for name in secrets)


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
    late = client.post(url, json={}, timeout=0.5)
    assert late.status_code == 408 and "was not ready in 0.5 s: still starting vLLM" in late.text
    eventually(lambda: status("slow/model"))
    loading = (status("slow/model") or {})["pid"]
    assert call(client, "slow/model")["pid"] == loading


@pytest.mark.parametrize("is_async", [False, True])
def test_a_timeout_says_how_far_the_engine_has_come(is_async: bool) -> None:
    messages = [{"role": "user", "content": "Hello"}]
    calls: dict[str, dict[str, Any]] = {
        "completion": {"messages": messages},
        "text_completion": {"prompt": "Hello"},
        "embedding": {"input": ["Hello"]},
        "rerank": {"query": "Hello", "documents": ["a"]},
        "responses": {"input": "Hello"},
    }
    for name, arguments in calls.items():
        function = getattr(litellm, f"a{name}" if is_async else name)
        with pytest.raises(litellm.Timeout, match=r"was not ready in 0\.3 s: still starting vLLM") as late:
            answer = function(model="lexiq_nova/endless/model", timeout=0.3, max_retries=0, **arguments)
            if is_async:
                asyncio.run(answer)
        assert late.value.status_code == 408


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


def test_two_never_leave_for_one_place(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was told to leave is too busy to say so: the other one keeps its place."""
    call(client, "a")
    call(client, "b")
    time.sleep(1.1)  # both are free for whoever comes now
    silent = Engine.of("a").folder
    asked: list[str] = []

    def says(folder: Path, request: str) -> Generator[float, None, dict[str, Any] | None]:
        asked.append(f"{folder.name[0]} {request}")
        answer = yield from ask(folder, request)
        return {} if answer is not None and folder == silent and len(asked) < 12 else answer

    monkeypatch.setattr("litellm.llms.remodlai.engine.start.ask", says)
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "2")
    call(client, "c")
    assert {engine.model for engine in running_engines()} == {"b", "c"}
    assert "b give-way" not in asked


@pytest.mark.parametrize(
    ("model", "options", "status_code", "says"),
    [
        ("unreadable/model", {}, 404, "Invalid repository ID"),
        ("some/model", {"no_such_option": True}, 400, "unrecognized arguments"),
        ("{home}/no-such-directory", {}, 404, "there is no model at"),
        ("./a-typo", {}, 404, "there is no model at"),
        ("{home}/empty", {}, 400, "neither config.json nor params.json"),
        ("{home}/broken", {}, 400, "config.json cannot be read"),
        ("no/such/model", {}, 404, "neither a directory nor a model id"),
        ("not-cached/model", {}, 404, "is not on this machine"),
    ],
)
def test_a_call_that_cannot_succeed_costs_nobody_an_engine(
    client: httpx.Client,
    machine: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    options: dict[str, Any],
    status_code: int,
    says: str,
) -> None:
    (machine / "empty").mkdir()
    (machine / "broken").mkdir()
    (machine / "broken/config.json").write_text("{")
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    warm = call(client, "warm")["pid"]
    wait_until_free("warm")
    monkeypatch.setenv("HF_HUB_OFFLINE", str(int(model == "not-cached/model")))
    for _ in range(2):
        with pytest.raises(LexiqNovaError, match=says) as refused:
            call(client, model.format(home=machine), engine_args=options)
        assert refused.value.status_code == status_code
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert call(client, "warm")["pid"] == warm


def test_a_failed_start_is_remembered_for_some_seconds(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    spawn = Start._spawn

    def counted(start: Start, alive: IO[bytes], admitted: bool) -> "subprocess.Popen[bytes]":
        started.append(start.engine.model)
        return spawn(start, alive, admitted)

    monkeypatch.setattr(Start, "_spawn", counted)
    for _ in range(3):
        with pytest.raises(LexiqNovaError, match="head size 7"):
            call(client, "broken/model")
    assert len(started) == 1
    monkeypatch.setattr("litellm.llms.remodlai.engine.start.REMEMBERED_SECONDS", 0.0)
    with pytest.raises(LexiqNovaError, match="head size 7"):
        call(client, "broken/model")
    assert len(started) == 2


GIB = 2**30


def weigh(home: Path, *names: str, gib: float = 4) -> list[str]:
    """Directories of models that have weights of a size, without taking the space."""
    for name in names:
        (home / name).mkdir()
        (home / name / "config.json").write_text("{}")
        (home / name / "model.safetensors").touch()
        os.truncate(home / name / "model.safetensors", int(gib * GIB))
    return [str(home / name) for name in names]


@pytest.fixture
def memory_decides(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """No limit is set; says how much memory is available, of which the stand-in takes next to nothing."""
    monkeypatch.delenv("LEXIQ_NOVA_MAX_ENGINES")
    # The engine's own process asks the machine, which may be small.
    monkeypatch.setenv("LEXIQ_NOVA_ENGINE_ARGS", "--gpu-memory-utilization 0.92 --kv-cache-memory-bytes 1000000")

    def available(gib: float) -> None:
        monkeypatch.setattr("litellm.llms.remodlai.engine.room.available_bytes", lambda: int(gib * GIB))

    return available


def up() -> set[str]:
    return {Path(engine.model).name for engine in running_engines()}


def test_as_many_as_memory_holds(client: httpx.Client, machine: Path, memory_decides: Callable[[float], None]) -> None:
    memory_decides(18)
    for model in (models := weigh(machine, "a", "b", "c", "d")):
        call(client, model)
        wait_until_free(model)
    assert up() == {"b", "c", "d"}  # 5.5 GiB each
    memory_decides(7)
    call(client, models[0])
    assert up() == {"a"}
    memory_decides(1)  # less than one needs: the only one may try
    call(client, models[1])
    assert up() == {"b"}


def test_one_engine_leaves_for_one_that_is_as_large(
    client: httpx.Client, machine: Path, memory_decides: Callable[[float], None]
) -> None:
    memory_decides(18)
    small = weigh(machine, "a", "b", gib=1)
    (large,) = weigh(machine, "large", gib=8)
    for model in (*small, large):
        call(client, model)
        wait_until_free(model)
    assert up() == {"a", "b", "large"}
    (other,) = weigh(machine, "other", gib=3)
    call(client, other)
    assert up() == {"b", "large", "other"}


def test_two_processes_at_once_where_memory_holds_one(
    machine: Path, memory_decides: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys, httpx\n"
        "from litellm.llms.remodlai.engine import room\n"
        "from litellm.llms.remodlai.engine.address import local_server\n"
        "from litellm.llms.remodlai.engine.transport import TRANSPORT\n"
        "room.available_bytes = lambda: 7 * 2**30\n"
        "client = httpx.Client(mounts={'lexiq-nova://': TRANSPORT}, timeout=60)\n"
        "answer = client.post(local_server(sys.argv[1]).base + '/x', json={})\n"
        "assert answer.is_success, answer.text"
    )
    models = weigh(machine, "slow-a", "slow-b", "slow-c")
    callers = [subprocess.Popen([sys.executable, "-c", script, model]) for model in models]
    most = 0
    while any(caller.poll() is None for caller in callers):
        states = [(status(model) or {}).get("state") for model in models]
        most = max(most, sum(state in ("loading", "ready", "draining") for state in states))
        time.sleep(0.05)
    assert [caller.returncode for caller in callers] == [0, 0, 0]
    assert most == 1


def test_a_number_that_cannot_be_meant_costs_nobody_an_engine(
    client: httpx.Client, machine: Path, memory_decides: Callable[[float], None]
) -> None:
    memory_decides(7)
    warm, other = weigh(machine, "warm", "other")
    pid = call(client, warm)["pid"]
    wait_until_free(warm)
    for options, says in (
        ({"gpu_memory_utilization": 0.0}, "above 0 and at most 1"),
        ({"gpu_memory_utilization": "nan"}, "above 0 and at most 1"),
        ({"kv_cache_memory_bytes": 2**60}, "GiB of cache are more than this machine's"),
        ({"env": {"VLLM_CPU_KVCACHE_SPACE": "1GiB"}}, "must be a whole number of GiB, not '1GiB'"),
    ):
        with pytest.raises(LexiqNovaError, match=says) as refused:
            call(client, other, engine_args=options)
        assert refused.value.status_code == 400
    assert call(client, warm)["pid"] == pid


def test_memory_that_is_gone_when_the_engine_loads(
    client: httpx.Client, machine: Path, memory_decides: Callable[[float], None]
) -> None:
    """Another program takes it between the look and the load: the engine says so, and the others stay."""
    memory_decides(100)
    (warm,) = weigh(machine, "warm")
    call(client, warm)
    (starved,) = weigh(machine, "starved")
    with pytest.raises(LexiqNovaError, match="Available memory on node 0") as failed:
        call(client, starved)
    assert failed.value.status_code == 503
    assert up() == {"warm"}


def test_models_on_gpus(
    client: httpx.Client, memory_decides: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def on(model: str, devices: Any, **options: Any) -> set[str]:
        env = {"VLLM_STAND_IN_GPUS": 2, **({} if devices is None else {"CUDA_VISIBLE_DEVICES": devices})}
        call(client, model, engine_args={"env": env, **options})
        eventually(lambda: wait(ask(Engine.of(model, {"env": env, **options}).folder, "status")).get("idle", 0) > 1)
        return up()

    memory_decides(0)
    monkeypatch.setenv("LEXIQ_NOVA_ENGINE_ARGS", "")
    assert on("a", None) == {"a"}
    assert on("b", [1]) == {"a", "b"}  # another device
    assert on("c", 1, gpu_memory_utilization=0.4) == {"a", "c"}  # vLLM's own share is nearly all of it
    assert on("d", 1, gpu_memory_utilization=0.5) == {"a", "c", "d"}
    assert on("e", 1, gpu_memory_utilization=0.1) == {"a", "d", "e"}
    assert on("f", [0, 1], tensor_parallel_size=2) == {"f"}
    assert on("g", None, device_ids=[1], gpu_memory_utilization=0.05) == {"f", "g"}  # 0.97 of it


ON_ONE_GPU: dict[str, Any] = {"env": {"VLLM_STAND_IN_GPUS": 1}, "kv_cache_memory_bytes": 60 * GIB}  # of 80


def on_one_gpu(client: httpx.Client, model: str, env: Mapping[str, object] | None = None, **options: Any) -> int:
    given = {**ON_ONE_GPU, **options, "env": {**ON_ONE_GPU["env"], **(env or {})}}
    pid = call(client, model, engine_args=given)["pid"]
    engine = Engine.of(model, given)
    eventually(lambda: (wait(ask(engine.folder, "status")) or {}).get("idle", 0) > 1)
    return pid


def states() -> dict[str, str]:
    found = {Path(engine.model).name: wait(ask(engine.folder, "status")) for engine in running_engines()}
    return {model: said["state"] for model, said in found.items() if said}


def test_an_engine_on_a_gpu_sleeps_instead_of_ending(
    client: httpx.Client, machine: Path, memory_decides: Callable[[float], None]
) -> None:
    memory_decides(0)
    one, two = weigh(machine, "one", "two", gib=0.1)
    first, second = on_one_gpu(client, one), on_one_gpu(client, two)
    assert states() == {"one": "sleeping", "two": "ready"}
    # The connection to it that the client kept is no way to wake it without a place.
    assert on_one_gpu(client, one) == first
    assert states() == {"one": "ready", "two": "sleeping"}
    with ThreadPoolExecutor(8) as threads:
        pids = set(threads.map(lambda model: on_one_gpu(client, model), [one, two] * 4))
    assert pids == {first, second}
    on_one_gpu(client, two, keep_alive=2)
    on_one_gpu(client, one)
    eventually(lambda: states() == {"one": "ready"})
    assert on_one_gpu(client, two) != second


def test_a_stream_ends_before_its_engine_sleeps(
    client: httpx.Client, machine: Path, memory_decides: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory_decides(0)
    monkeypatch.setenv("LEXIQ_NOVA_PATIENCE", "0")
    one, two = weigh(machine, "one", "two", gib=0.1)
    first = on_one_gpu(client, one)
    url = local_server(one, ON_ONE_GPU).base + "/chat/completions"
    with ThreadPoolExecutor(1) as thread:
        with client.stream("POST", url, json={"stream": True}) as stream:
            other = thread.submit(on_one_gpu, client, two)
            eventually(lambda: states().get("one") == "draining")
            next(stream.iter_bytes())
        other.result(30)
    assert states() == {"one": "sleeping", "two": "ready"} and on_one_gpu(client, one) == first


@pytest.mark.parametrize("sleepless", [{"enable_sleep_mode": False}, {"env": {"VLLM_STAND_IN_SLEEPLESS": 1}}])
def test_an_engine_that_cannot_sleep_ends(
    client: httpx.Client, machine: Path, memory_decides: Callable[[float], None], sleepless: dict[str, Any]
) -> None:
    memory_decides(0)
    one, two = weigh(machine, "one", "two", gib=0.1)
    first = on_one_gpu(client, one, **sleepless)
    on_one_gpu(client, two)
    assert states() == {"two": "ready"}
    assert on_one_gpu(client, one, **sleepless) != first


def test_a_sleeping_engine_that_is_killed_is_replaced(
    client: httpx.Client, machine: Path, memory_decides: Callable[[float], None]
) -> None:
    memory_decides(0)
    one, two = weigh(machine, "one", "two", gib=0.1)
    first = on_one_gpu(client, one)
    on_one_gpu(client, two)
    os.kill(first, signal.SIGKILL)
    assert on_one_gpu(client, one) != first
    stop(None)
    assert states() == {}


def test_a_busy_engine_gives_way_and_callers_have_their_turns(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls to `a` come without a pause, one of them a stream: it ends first, and no call fails."""
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    monkeypatch.setenv("LEXIQ_NOVA_PATIENCE", "0.5")
    served: list[str] = []
    over = threading.Event()

    def ask_again_and_again() -> set[int]:
        pids = set()
        while not over.is_set():
            pids.add(call(client, "a", seconds=0.1)["pid"])
            served.append("a")
        return pids

    def ask_once(model: str) -> None:
        call(client, model)
        served.append(model)

    with ThreadPoolExecutor(4) as threads:
        url = local_server("a").base + "/chat/completions"
        busy = threads.submit(ask_again_and_again)
        eventually(lambda: served)
        with client.stream("POST", url, json={"stream": True}) as stream:
            turns = [threads.submit(ask_once, "b")]
            eventually(lambda: len(list((runtime_directory() / "queue").glob("*"))) == 1)
            turns.append(threads.submit(ask_once, "c"))
            eventually(lambda: (status("a") or {}).get("state") == "draining")
            assert (status("a") or {})["running"] >= 1 and not stream.is_closed
        for turn in turns:
            turn.result(timeout=30)
        others = [model for model in served if model != "a"]
        before = len(served)
        eventually(lambda: len(served) > before)
        over.set()
        pids = busy.result(timeout=30)
    assert others == ["b", "c"]
    assert len(pids) == 2


def test_a_health_check_starts_nothing_and_keeps_nothing(
    client: httpx.Client, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")

    def health(model: str, **params: Any) -> dict[str, Any]:
        return asyncio.run(litellm.ahealth_check({"model": model, **params}, mode="chat"))

    pid = call(client, "warm")["pid"]
    wait_until_free("warm")
    for provider in ("lexiq_nova", "remodlai"):
        assert health(f"{provider}/warm") == {"local_engine": "ready"}
        assert "not running" in health(f"{provider}/some/model", engine_args={"seed": 1})["local_engine"]
        missing = health(f"{provider}/{machine}/nothing")
        assert "there is no model" in missing["error"] and isinstance(missing["exception"], litellm.NotFoundError)
    assert health("warm", custom_llm_provider="lexiq_nova") == {"local_engine": "ready"}
    assert "not running" in health("lexiq_nova/*")["local_engine"]
    now = status("warm") or {}
    assert now["pid"] == pid and now["idle"] > 1
    assert {engine.model for engine in running_engines()} == {"warm"}
    with pytest.raises(LexiqNovaError, match="head size"):
        call(client, "broken/model")
    assert "head size" in health("lexiq_nova/broken/model")["error"]
    served = health("lexiq_nova/warm", api_base="http://127.0.0.1:9/v1")
    assert "local_engine" not in served and "error" in served


@pytest.mark.parametrize(
    ("ended_by", "says"),
    [
        ("kill", "SIGKILL ended it while .*, most likely for want of memory.*max_model_len.* in engine_args"),
        ("segv", "SIGSEGV ended it while"),
        ("stop", "was stopped while it was loading"),
    ],
)
def test_an_engine_that_is_ended_while_it_loads(client: httpx.Client, ended_by: str, says: str) -> None:
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(call, client, "slow/model")
        eventually(lambda: (status("slow/model") or {}).get("state") == "loading")
        if ended_by == "stop":
            stop("slow/model")
        else:
            os.kill((status("slow/model") or {})["pid"], getattr(signal, f"SIG{ended_by.upper()}"))
        with pytest.raises(LexiqNovaError, match=says) as ended:
            waiting.result(timeout=30)
    assert ended.value.status_code == 503
    if ended_by == "stop":
        assert call(client, "slow/model")["pid"]


def test_other_users_engines_are_named(tmp_path: Path) -> None:
    """Each user sees only their own engines; what else holds the memory is worth a word."""
    theirs = os.geteuid() + 1

    def process(pid: int, group: int, command: str, pages: int) -> None:
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} (VLLM) S 1 {group} {group} 0")
        (folder / "statm").write_text(f"1 {pages} 1")
        (folder / "cmdline").write_bytes(command.encode())

    gib = 2**30 // os.sysconf("SC_PAGE_SIZE")
    process(70, 70, "python\0/site/litellm/llms/remodlai/engine/server.py\0/run/x", gib)
    process(71, 70, "VLLM::EngineCore", 3 * gib)
    process(72, 72, "vi\0server.py", gib)
    assert engines_of_other_users(tmp_path) == ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: theirs)
        told = engines_of_other_users(tmp_path)
    assert "pid 70 of user" in told and "4.0 GiB" in told


OTHERS = """
import httpx, json, sys
from litellm.llms.remodlai.engine.address import local_server
from litellm.llms.remodlai.engine.engine import Engine, running_engines
from litellm.llms.remodlai.engine.runtime import ask, runtime_directory, wait
from litellm.llms.remodlai.engine.transport import TRANSPORT

client = httpx.Client(mounts={"lexiq-nova://": TRANSPORT}, timeout=60)
seen = [engine.model for engine in running_engines()]
refused = client.post(local_server("starved/model").base + "/x", json={})
pid = client.post(local_server("theirs/model").base + "/x", json={}).json()["pid"]
mine = [engine.model for engine in running_engines()]
said = {"seen": seen, "refused": refused.text, "pid": pid, "mine": mine, "place": str(runtime_directory())}
print(json.dumps(said), flush=True)
sys.stdin.read()
wait(ask(Engine.of("theirs/model").folder, "stop"))
"""


# The interpreter may be in a home that only its owner can enter.
AS_ANOTHER = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--no-new-privs"]
REACHES_IT = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


@pytest.mark.skipif(
    getattr(os, "geteuid", lambda: None)() != 0 or shutil.which("setpriv") is None,
    reason="only root can be another user, with util-linux",
)
def test_two_users_of_one_machine(client: httpx.Client, machine: Path) -> None:
    """Each lists only their own engines; who finds no memory is told what the other one has."""
    user = 54321
    ours = call(client, "ours/model")["pid"]
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as home:
        runpy.run_path(str(Path(__file__).with_name("fake_vllm.py")))["install"](Path(home, "site"))
        for path in (home, *map(str, Path(home).rglob("*"))):
            os.chown(path, user, user)
        paths = os.environ["PYTHONPATH"].replace(str(machine / "site"), f"{home}/site")
        environment = {**os.environ, "XDG_RUNTIME_DIR": home, "HOME": home, "PYTHONPATH": paths}
        line = [*AS_ANOTHER, *REACHES_IT, sys.executable, "-c", OTHERS]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(line, cwd="/", env=environment, **pipes) as them:
            assert them.stdout is not None
            theirs = json.loads(them.stdout.readline())
            assert theirs["seen"] == [] and theirs["mine"] == ["theirs/model"]
            assert theirs["place"] == f"{home}/lexiq-nova" and os.stat(theirs["place"]).st_uid == user
            in_the_way = r"another user's engine is in the way \(.*pid {} of user {}, \d+\.\d GiB"
            assert re.search(in_the_way.format(ours, 0), theirs["refused"]), theirs["refused"]
            assert str(theirs["pid"]) not in theirs["refused"]
            assert [engine.model for engine in running_engines()] == ["ours/model"]
            stop("theirs/model")
            with pytest.raises(LexiqNovaError, match=in_the_way.format(theirs["pid"], user)):
                call(client, "starved/model")
            them.communicate("")
        eventually(lambda: not Path(f"/proc/{theirs['pid']}").exists())


def test_a_call_too_many_is_told_when_to_come_again(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_CALLS", "1")
    url = local_server("slow/model").base + "/chat/completions"
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(call, client, "slow/model")
        eventually(lambda: (status("slow/model") or {}).get("state") == "loading")
        early = client.post(url, json={})
        assert first.result(timeout=30)
    assert early.status_code == 429 and early.headers["retry-after"] == "10"
    with client.stream("POST", url, json={"stream": True}):
        late = client.post(url, json={})
        assert late.status_code == 429 and late.headers["retry-after"] == "1"
        with pytest.raises(litellm.RateLimitError, match="LEXIQ_NOVA_MAX_CALLS"):
            litellm.completion("lexiq_nova/slow/model", [{"role": "user", "content": "Hello"}], max_retries=0)
    eventually(lambda: (status("slow/model") or {})["running"] == 0)
    assert client.post(url, json={}).status_code == 200


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ({"detail": "Not Found"}, "'runner': 'pooling'"),
        ({"error": {"message": "The model does not support Chat Completions API"}}, "'runner': 'generate'"),
        (
            {"error": {"message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser'}},
            "'tool_call_parser'",
        ),
    ],
)
def test_a_refusal_says_what_to_set(client: httpx.Client, said: Any, advice: str) -> None:
    with pytest.raises(LexiqNovaError, match=f"engine_args=.*{advice}") as told:
        call(client, say=said, status=400)
    assert told.value.status_code == 400
    with pytest.raises(LexiqNovaError) as plain:
        call(client, say={"error": {"message": "too long"}}, status=400)
    assert "engine_args" not in plain.value.message


def test_valid_models_are_what_runs_and_what_is_cached(
    client: httpx.Client, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(machine / "hub"))
    for name, file in (("org--cached", "config.json"), ("org--half", "README.md"), ("other--cached", "config.json")):
        snapshot = machine / f"hub/models--{name}/snapshots/1"
        snapshot.mkdir(parents=True)
        (snapshot / file).touch()

    assert local_models() == ["org/cached", "other/cached"]
    call(client, "org/running")
    for provider in ("lexiq_nova", "remodlai"):
        models = litellm.get_valid_models(check_provider_endpoint=True, custom_llm_provider=provider)
        assert {model.removeprefix(f"{provider}/") for model in models} == {"org/running", "org/cached", "other/cached"}
    monkeypatch.setenv("LEXIQ_NOVA_MODELS", "org/*")
    assert local_models() == ["org/running", "org/cached"]


def wait_until_free(model: str) -> None:
    """Until an engine is one that leaves when another is wanted."""
    eventually(lambda: (status(model) or {}).get("idle", 0) > 1)


def test_idle_engine_ends(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_KEEP_ALIVE", "1")
    pid = call(client)["pid"]
    eventually(lambda: not running_engines())
    assert call(client)["pid"] != pid


@pytest.mark.parametrize("keep_alive", ["0", "1"])
def test_engine_of_a_killed_caller_ends(keep_alive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_KEEP_ALIVE", keep_alive)
    script = (
        "import httpx\n"
        "from litellm.llms.remodlai.engine.address import local_server\n"
        "from litellm.llms.remodlai.engine.transport import TRANSPORT\n"
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
    with pytest.raises(LexiqNovaError, match="mode 0700.*XDG_RUNTIME_DIR"):
        runtime_directory()
    folder.chmod(0o700)


def test_a_link_or_a_file_in_its_place_is_not_followed(machine: Path) -> None:
    (machine / "elsewhere").mkdir(mode=0o700)
    place = machine / "lexiq-nova"
    place.symlink_to(machine / "elsewhere")
    with pytest.raises(LexiqNovaError, match="mode 0700"):
        runtime_directory()
    place.unlink()
    place.touch()
    with pytest.raises(LexiqNovaError, match="mode 0700"):
        runtime_directory()
    place.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to another user")
@pytest.mark.parametrize("made", ["directory", "link"])
def test_another_user_who_was_first_is_no_obstacle(
    client: httpx.Client, machine: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    monkeypatch.setenv("HOME", str(machine / "home"))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    shared = machine / "tmp"
    shared.mkdir(mode=0o1777)
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    monkeypatch.setattr("litellm.llms.remodlai.engine.runtime.SHARED", shared)
    foreign = shared / f"lexiq-nova-{os.geteuid()}"
    if made == "directory":
        foreign.mkdir(mode=0o777)
    else:
        (machine / "trap").mkdir(mode=0o700)
        foreign.symlink_to(machine / "trap")
    os.chown(foreign, 65534, 65534, follow_symlinks=False)
    first = call(client)
    assert runtime_directory() == machine / "home/.cache/lexiq-nova"
    assert stat.S_IMODE(runtime_directory().stat().st_mode) == 0o700
    assert call(client)["pid"] == first["pid"]
    assert os.listdir(foreign) == []


def test_a_path_too_long_for_a_socket_is_passed_over(
    client: httpx.Client, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS' temporary directory is such a path."""
    long = machine / "var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T"
    long.mkdir(parents=True)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(long))
    monkeypatch.setattr("litellm.llms.remodlai.engine.runtime.SHARED", machine)
    assert call(client)["pid"]
    assert runtime_directory() == machine / f"lexiq-nova-{os.geteuid()}"
    monkeypatch.setattr("litellm.llms.remodlai.engine.runtime.SHARED", long)
    monkeypatch.setenv("HOME", str(long))
    with pytest.raises(LexiqNovaError, match="too long for a socket.*XDG_RUNTIME_DIR"):
        runtime_directory()
    monkeypatch.setattr("litellm.llms.remodlai.engine.runtime.SHARED", machine)


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

    monkeypatch.setattr("litellm.llms.remodlai.engine.start.write", full)
    with pytest.raises(LexiqNovaError, match="No space left on device"):
        call(client)


def test_a_url_that_names_no_engine_reaches_the_only_one_that_runs(client: httpx.Client) -> None:
    nothing = httpx.URL("lexiq-nova://local/v1/models")
    with pytest.raises(LexiqNovaError, match="not exactly one engine is running"):
        engine_of(nothing)
    call(client)
    assert engine_of(nothing).model == "some/model"


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"model": "somebody/repo"}},
        {"files": {"file": b"RIFF", "model": (None, "somebody/repo")}},
        {"content": b'{"model": "somebody/repo"}'},
    ],
)
@pytest.mark.parametrize("host", ["local", "some-repo-01234567"])
def test_a_body_never_names_an_engine(client: httpx.Client, body: dict[str, Any], host: str) -> None:
    refused = client.post(f"lexiq-nova://{host}/v1/chat/completions", **body)
    assert refused.status_code == 400 and "not exactly one engine is running (none)" in refused.text
    own = call(client)
    answer = client.post(local_server("some/model").base + "/chat/completions", json={"model": "somebody/repo"})
    assert answer.json()["pid"] == own["pid"]
    assert {engine.model for engine in running_engines()} == {"some/model"}


def test_a_count_of_tokens_asks_an_engine_that_is_up_and_starts_none(client: httpx.Client) -> None:
    chat = [{"role": "user", "content": "hello"}]
    guessed = litellm.token_counter(model="other/model", messages=chat)
    assert asyncio.run(litellm.acount_tokens("lexiq_nova/some/model", chat)).total_tokens == guessed
    assert not running_engines()
    call(client)
    assert asyncio.run(litellm.acount_tokens("lexiq_nova/some/model", chat)).total_tokens == 4321
    assert litellm.token_counter("lexiq_nova/some/model", messages=chat) == 4321
