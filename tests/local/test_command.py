"""The program `lexiq-nova` with a real vLLM: a chat in a pipe, an endpoint with a key, what runs, its log, its end."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from local.engines import SECRET, processes, status

from litellm.llms.remodlai.engine.engine import Engine
from support.models import model_dir

PROGRAM = str(Path(sys.executable).with_name("lexiq-nova"))
OPTIONS = json.dumps({"max_model_len": 2048, "dtype": "float32", "hf_token": SECRET})
MODEL = str(model_dir("smollm2"))
QUESTION = "What is the capital of France? Answer in one sentence."
SECONDS = 300.0


def program(*arguments: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [PROGRAM, *arguments], input=given, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert SECRET not in done.stdout + done.stderr
    return done


def document(*arguments: str) -> Any:
    done = program(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, str, "subprocess.Popen[str]"]]:
    """Base, key and process of `serve`."""
    process = subprocess.Popen(
        [PROGRAM, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        base, key, _ = (process.stdout.readline().rstrip("\n").partition("=")[2] for _ in range(3))
        yield base, key, process
    finally:
        process.kill()
        process.communicate()


def test_preload_run_ps_serve_logs_and_stop() -> None:
    program("stop")
    engine = Engine.of(MODEL, OPTIONS)
    [loaded] = document("preload", MODEL, "--engine-args", OPTIONS)["engines"]
    assert (loaded["model"], loaded["state"]) == (engine.model, "ready") and loaded["seconds"] > 1
    pid = (status(engine) or {})["pid"]

    answered = program("run", MODEL, "--engine-args", OPTIONS, given=QUESTION)
    assert answered.returncode == 0 and "Paris" in answered.stdout and answered.stderr == ""

    [seen] = document("ps")["engines"]
    assert (seen["pid"], seen["model"], seen["state"], seen["requests"]) == (pid, engine.model, "ready", 0)
    assert seen["memory_bytes"] > 2**29 and 0 < seen["until_seconds"] <= seen["keep_alive_seconds"] == 900
    assert "--max-model-len 2048" in seen["options"] and "--hf-token" in seen["options"]
    [listed] = [each for each in document("list")["models"] if each["model"] == engine.model]
    assert listed["state"] == "ready" and listed["size_bytes"] > 2**27

    with serving(MODEL, "--port", "0", "--engine-args", OPTIONS) as (base, key, process):
        body = {"model": "smollm2", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0}
        with httpx.Client(base_url=base, timeout=SECONDS) as client:
            for headers in ({}, {"Authorization": "Bearer sk-another"}):
                assert client.post("/chat/completions", headers=headers, json=body).status_code in (400, 401)
            client.headers["Authorization"] = f"Bearer {key}"
            answer = client.post("/chat/completions", json=body)
            assert "Paris" in answer.json()["choices"][0]["message"]["content"], answer.text
            with client.stream("POST", "/chat/completions", json={**body, "stream": True}) as stream:
                assert "data: [DONE]" in list(stream.iter_lines())
            other = client.post("/chat/completions", json={**body, "model": str(model_dir("tiny-chat"))})
            assert other.status_code in (400, 404)
        assert [each["pid"] for each in document("ps")["engines"]] == [pid]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0

    assert "Application startup complete" in program("logs", MODEL).stdout
    assert document("stop", MODEL) == {"stopped": [engine.model], "left": []}
    assert document("ps") == {"engines": []} and processes(pid) == []


def test_run_says_what_the_engine_is_doing_and_why_it_cannot() -> None:
    refused = program("run", str(model_dir("tiny-chat")), "hi", "--engine-args", "--no-such-option 1")
    assert refused.returncode == 1 and "no-such-option" in refused.stderr.splitlines()[-1] and refused.stdout == ""
    stages = [line.partition(": ")[2].rpartition(" (")[0] for line in refused.stderr.splitlines()[:-1]]
    assert "starting vLLM" in stages, refused.stderr
