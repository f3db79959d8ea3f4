"""
How much of vLLM's own speed is left through `lexiq_nova/`: throughput, first token, starts, swaps, a second process.

Run as `PYTHONPATH=tests python -m benchmarks.engine [MEASUREMENT...]`; everything is measured in one run on SmolLM2,
and told as ratios. Each way to serve has the machine to itself; ways that can be interleaved are, and medians compared.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
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
PROCESSES, CALLS = 5, 4
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
    engine.llm_engine.engine_core.shutdown()  # left to the interpreter's end, it is not ended every time


@contextmanager
def served_by_hand(path: str, folder: Path) -> Iterator[None]:
    """vLLM's server, started as its documentation says, from its first answer until it is ended and gone."""
    uds = folder / "server"
    uds.unlink(missing_ok=True)
    with open(folder / "log", "wb") as log:
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
        with over(uds) as client:
            body = {"model": path, "messages": CONVERSATIONS[0], "max_tokens": 1}
            client.post("/chat/completions", json=body).raise_for_status()
        yield
    finally:
        server.terminate()
        server.wait()


def by_hand(path: str, folder: Path) -> float:
    """Returns how long it takes to start vLLM's server and have one answer from it."""
    with ExitStack() as running:
        return seconds(lambda: running.enter_context(served_by_hand(path, folder)))


def swapped_by_hand(path: str, other: str, folder: Path) -> float:
    """Returns how long it takes to end the server of one model, and to have one answer from that of another."""
    with ExitStack() as running, ExitStack() as first:
        first.enter_context(served_by_hand(path, folder))

        def swap() -> None:
            first.close()
            running.enter_context(served_by_hand(other, folder))

        return seconds(swap)


def over(uds: Path) -> httpx.Client:
    """Returns a client of the server behind a socket: raw httpx."""
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(uds)), base_url="http://vllm/v1", timeout=300)


def listens(uds: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(uds)) == 0


def one_call(path: str, max_tokens: int = 1) -> float:
    """Returns how long a call takes; the engine is running, or is started by it."""
    given = {"max_tokens": max_tokens, "temperature": 0, "engine_args": OPTIONS}
    return seconds(lambda: completion(f"lexiq_nova/{path}", messages=CONVERSATIONS[0], **given))


def by_itself(path: str) -> float:
    """Returns how long the first call takes with no engine running."""
    command(["stop"])
    return one_call(path)


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


def raw_batch(path: str) -> float:
    """Returns how long the batch takes by httpx over the engine's socket: what vLLM's server itself leaves."""
    with over(Engine.of(path, OPTIONS).socket) as client, ThreadPoolExecutor(PROMPTS) as pool:

        def ask(messages: list[dict[str, str]]) -> None:
            body = {"model": path, "messages": messages, "max_tokens": TOKENS, "temperature": 0, "ignore_eos": True}
            client.post("/chat/completions", json=body).raise_for_status()

        return seconds(lambda: list(pool.map(ask, CONVERSATIONS)))


def throughput(path: str, folder: Path) -> Measured:
    """The conversations as one batch, through vLLM's offline interface, and raw over the engine's socket."""
    batch(path)  # starts the engine
    ours, raw = [], []
    for _ in range(ROUNDS):
        ours.append(batch(path))
        raw.append(raw_batch(path))
    command(["stop"])
    result = folder / "in-process.json"
    subprocess.run([sys.executable, "-m", "benchmarks.engine", "in-process", path, str(result)], check=True)
    return {"lexiq_nova": ours, "vllm.LLM.chat": json.loads(result.read_text()), "raw httpx": raw}


def first_token(path: str, folder: Path) -> Measured:
    """Streams until their first token, through `lexiq_nova/` and raw over the same socket."""
    one_call(path)
    ours, raw = [], []
    with over(Engine.of(path, OPTIONS).socket) as client:
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
            with client.stream("POST", "/chat/completions", json=body) as answer:
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


def swap(path: str, folder: Path) -> Measured:
    """Until the first answer of a model while another one has the only place, and the same with servers by hand."""
    other = folder / "other"  # the same weights under another name: another model to vLLM, and to us
    shutil.copytree(path, other)
    os.environ["LEXIQ_NOVA_MAX_ENGINES"] = "1"
    swaps: Measured = {"lexiq_nova": [], "vllm by hand": []}
    try:
        for _ in range(ROUNDS):
            swaps["vllm by hand"].append(swapped_by_hand(path, str(other), folder))
            one_call(path)
            swaps["lexiq_nova"].append(one_call(str(other)))
            command(["stop"])
    finally:
        del os.environ["LEXIQ_NOVA_MAX_ENGINES"]
    return swaps


def second_process(path: str, folder: Path) -> Measured:
    """The first call of a new process that has imported LiteLLM, and the ones after it; the engine is running."""
    one_call(path, TOKENS)
    calls: Measured = {"first call": [], "warm call": []}
    for _ in range(PROCESSES):
        ask = [sys.executable, "-m", "benchmarks.engine", "calls", path]
        first, *warm = json.loads(subprocess.run(ask, check=True, stdout=subprocess.PIPE).stdout)
        calls["first call"].append(first)
        calls["warm call"].extend(warm)
    return calls


# What is measured, and the goal: a rate at least, or a time at most, times the other way's.
MEASUREMENTS: dict[str, tuple[Callable[[str, Path], Measured], float]] = {
    "throughput": (throughput, 0.97),
    "first-token": (first_token, 1.05),
    "cold-start": (cold_start, 0.9),
    "swap": (swap, 1.05),
    "second-process": (second_process, 1.3),
}


def told(name: str, measured: Measured) -> str:
    (our_name, ours), (other_name, others), *floor = measured.items()
    our_median, other_median = statistics.median(ours), statistics.median(others)
    goal = MEASUREMENTS[name][1]
    rate = name == "throughput"
    ratio = other_median / our_median if rate else our_median / other_median
    verdict = "met" if (ratio >= goal if rate else ratio <= goal) else "NOT met"
    return (
        f"{name:14} {our_name} {our_median:.3f} s, {other_name} {other_median:.3f} s: "
        f"ratio {ratio:.2f} (at {'least' if rate else 'most'} {goal}: {verdict})"
        + "".join(f"; {way} {statistics.median(values):.3f} s" for way, values in floor)
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
    match sys.argv[1:]:
        case ["in-process", path, result]:
            in_process(path, result)
        case ["calls", path]:
            print(json.dumps([one_call(path, TOKENS) for _ in range(CALLS)]))
        case names:
            main(names)
