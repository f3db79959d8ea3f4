"""
How much of vLLM's own speed is left through `lexiq_nova/`: throughput, time to first token, cold start.

Run as `PYTHONPATH=tests python -m benchmarks.engine [MEASUREMENT...]`; everything is measured in one run on SmolLM2,
and told as ratios. Each way to serve has the machine to itself; ways that can be interleaved are, and medians compared.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from litellm import batch_completion, completion
from litellm.llms.remodlai.__main__ import main as command
from litellm.llms.remodlai.engine.engine import Engine
from support.models import model_dir

OPTIONS: dict[str, Any] = {"max_model_len": 2048, "enforce_eager": True}
FLAGS = ["--max-model-len", "2048", "--enforce-eager"]
PROMPTS, TOKENS = 64, 64
FIRST_TOKENS = 40
ROUNDS = int(os.environ.get("ENGINE_ROUNDS", "2"))
CONVERSATIONS = [[{"role": "user", "content": f"Tell me something about the number {n}."}] for n in range(PROMPTS)]
Measured = dict[str, list[float]]  # seconds by way to serve, ours first


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def in_process(path: str, result: str) -> None:
    """Writes how long vLLM's offline interface takes for the conversations; runs in a process of its own."""
    from vllm import LLM, SamplingParams

    engine = LLM(model=path, **OPTIONS)
    sampling = SamplingParams(max_tokens=TOKENS, temperature=0, ignore_eos=True)
    engine.chat(CONVERSATIONS[:1], sampling, use_tqdm=False)
    times = [seconds(lambda: engine.chat(CONVERSATIONS, sampling, use_tqdm=False)) for _ in range(ROUNDS)]
    Path(result).write_text(json.dumps(times))


def by_hand(path: str, folder: Path) -> float:
    """Returns how long it takes to start vLLM's server and have one answer from it."""
    uds = folder / "server"
    uds.unlink(missing_ok=True)
    with open(folder / "log", "wb") as log:
        began = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", path, "--uds", str(uds), *FLAGS],
            stdout=log,
            stderr=log,
        )
    try:
        while not listens(uds):
            if server.poll() is not None:
                raise RuntimeError(f"vLLM did not start: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(uds)), timeout=300) as client:
            body = {"model": path, "messages": CONVERSATIONS[0], "max_tokens": 1}
            client.post("http://vllm/v1/chat/completions", json=body).raise_for_status()
        return time.perf_counter() - began
    finally:
        server.terminate()
        server.wait()


def listens(uds: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(uds)) == 0


def by_itself(path: str) -> float:
    """Returns how long the first call takes with no engine running."""
    command(["stop"])
    return seconds(
        lambda: completion(f"lexiq_nova/{path}", messages=CONVERSATIONS[0], max_tokens=1, engine_args=OPTIONS)
    )


def batch(path: str) -> float:
    return seconds(
        lambda: batch_completion(
            model=f"lexiq_nova/{path}",
            messages=CONVERSATIONS,
            max_tokens=TOKENS,
            temperature=0,
            extra_body={"ignore_eos": True},
            engine_args=OPTIONS,
        )
    )


def throughput(path: str, folder: Path) -> Measured:
    """The conversations as one batch, and through vLLM's offline interface."""
    batch(path)  # starts the engine
    ours = [batch(path) for _ in range(ROUNDS)]
    command(["stop"])
    result = folder / "in-process.json"
    subprocess.run([sys.executable, "-m", "benchmarks.engine", "in-process", path, str(result)], check=True)
    return {"lexiq_nova": ours, "vllm.LLM.chat": json.loads(result.read_text())}


def first_token(path: str, folder: Path) -> Measured:
    """Streams until their first token, through `lexiq_nova/` and raw over the same socket."""
    completion(f"lexiq_nova/{path}", messages=CONVERSATIONS[0], max_tokens=1, engine_args=OPTIONS)
    ours, raw = [], []
    uds = str(Engine.of(path, OPTIONS).socket)
    with httpx.Client(transport=httpx.HTTPTransport(uds=uds), timeout=300) as client:
        for number in range(FIRST_TOKENS + 4):
            messages = CONVERSATIONS[number % PROMPTS]
            began = time.perf_counter()
            stream = completion(f"lexiq_nova/{path}", messages=messages, max_tokens=4, stream=True, engine_args=OPTIONS)
            next(chunk for chunk in stream if chunk.choices[0].delta.content)
            ours.append(time.perf_counter() - began)
            for _ in stream:
                pass
            body = {"model": path, "messages": messages, "max_tokens": 4, "stream": True}
            began = time.perf_counter()
            with client.stream("POST", "http://vllm/v1/chat/completions", json=body) as answer:
                lines = answer.iter_lines()
                next(line for line in lines if '"content":"' in line and '"content":""' not in line)
                raw.append(time.perf_counter() - began)
                for _ in lines:
                    pass
    return {"lexiq_nova": ours[4:], "raw httpx": raw[4:]}  # the first ones open connections


def cold_start(path: str, folder: Path) -> Measured:
    """Until the first answer with nothing running, by the first call itself and with a server started by hand."""
    by_hand(path, folder)  # reads the files of the package and the model once
    starts: Measured = {"lexiq_nova": [], "vllm by hand": []}
    for _ in range(ROUNDS):
        starts["vllm by hand"].append(by_hand(path, folder))
        starts["lexiq_nova"].append(by_itself(path))
        command(["stop"])
    return starts


# What is measured, and the goal: a rate at least, or a time at most, times the other way's.
MEASUREMENTS: dict[str, tuple[Callable[[str, Path], Measured], float]] = {
    "throughput": (throughput, 0.9),
    "first-token": (first_token, 1.15),
    "cold-start": (cold_start, 1.1),
}


def told(name: str, measured: Measured) -> str:
    (our_name, ours), (other_name, others) = measured.items()
    our_median, other_median = statistics.median(ours), statistics.median(others)
    goal = MEASUREMENTS[name][1]
    rate = goal < 1
    ratio = other_median / our_median if rate else our_median / other_median
    verdict = "met" if (ratio >= goal if rate else ratio <= goal) else "NOT met"
    return (
        f"{name:12} {our_name} {our_median:.3f} s, {other_name} {other_median:.3f} s: "
        f"ratio {ratio:.2f} (at {'least' if rate else 'most'} {goal}: {verdict})"
    )


def main(names: list[str]) -> None:
    path = str(model_dir("smollm2"))
    results = Path("build/bench")
    results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as folder:
        os.environ.update(XDG_RUNTIME_DIR=folder, HF_HUB_OFFLINE="1")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
        try:
            for name in names or MEASUREMENTS:
                measured = MEASUREMENTS[name][0](path, Path(folder))
                (results / f"engine-{name}.json").write_text(json.dumps(measured, indent=1))
                print(told(name, measured), flush=True)
        finally:
            command(["stop"])


if __name__ == "__main__":
    in_process(*sys.argv[2:]) if sys.argv[1:2] == ["in-process"] else main(sys.argv[1:])
