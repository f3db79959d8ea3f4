"""`make demo`: really chats with a real vLLM and a real small model, once per provider, plain and streamed, and by the
program `lexiq-nova`.

Each step is one function that yields a server to call: arguments of `litellm.completion`. A step that fails ends
the demo with its error; the last thing printed is the streamed answer of the hosted provider.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import litellm
from support.models import model_dir
from support.vllm_server import KINDS

QUESTION = "What is the capital of France? Answer in one sentence."


def say(text: str) -> None:
    print(f"\n# {text}", flush=True)


@contextmanager
def local() -> Iterator[dict[str, Any]]:
    """No server anywhere: the provider starts an engine of its own."""
    model = model_dir("smollm2")
    say("lexiq_nova/: no server is configured, so the first call starts vLLM on this machine (about a minute)")
    try:
        yield {
            "model": f"lexiq_nova/{model}",
            "engine_args": {"max_model_len": 2048, "enforce_eager": True, "dtype": "float32"},
        }
    finally:
        subprocess.run([sys.executable, "-m", "litellm.llms.remodlai", "stop", str(model)], check=False)


@contextmanager
def hosted() -> Iterator[dict[str, Any]]:
    """A vLLM server that somebody runs, reached by its URL and key."""
    say("remodlai/: a vLLM server is started, as somebody else would run it (about a minute)")
    with KINDS["chat"].server() as server:
        say(f"it listens on {server.base} and asks for a key")
        yield {"model": f"remodlai/{server.model}", "api_base": server.base, "api_key": server.key}


STEPS: tuple[Callable[[], AbstractContextManager[dict[str, Any]]], ...] = (local, hosted)


def shown(call: dict[str, Any], stream: bool) -> str:
    # The key is a secret even here.
    given = {name: value for name, value in call.items() if name != "api_key"} | ({"stream": True} if stream else {})
    return "litellm.completion(" + ", ".join(f"{name}={value!r}" for name, value in given.items()) + ", messages=…)"


def ask(call: dict[str, Any]) -> str:
    """A plain call, printed; returns its answer."""
    say(shown(call, stream=False))
    answer = litellm.completion(**call, messages=[{"role": "user", "content": QUESTION}], temperature=0, max_tokens=32)
    print(answer.choices[0].message.content, flush=True)
    return answer.choices[0].message.content


def ask_streamed(call: dict[str, Any]) -> str:
    """The same, streamed: each piece is printed as it comes."""
    say(shown(call, stream=True))
    pieces: list[str] = []
    messages = [{"role": "user", "content": QUESTION}]
    for chunk in litellm.completion(**call, messages=messages, temperature=0, max_tokens=32, stream=True):
        pieces.append(chunk.choices[0].delta.content or "")
        print(pieces[-1], end="", flush=True)
    print()
    return "".join(pieces)


def ask_program(call: dict[str, Any]) -> str:
    """The same by `lexiq-nova run`: the model that a call has just used is still there."""
    model = str(call["model"]).removeprefix("lexiq_nova/")
    given = ["run", model, QUESTION, "--engine-args", json.dumps(call["engine_args"])]
    say(shlex.join(["lexiq-nova", *given]))
    done = subprocess.run([sys.executable, "-m", "litellm.llms.remodlai", *given], stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def main() -> None:
    """Runs the steps.

    Raises:
        RuntimeError: an answer is empty, or the two ways of asking differ at temperature 0.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # else a server would stay behind
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB; by default vLLM takes nearly all memory there is
    print(f"question: {QUESTION}")
    for step in STEPS:
        with step() as call:
            answer = ask(call)
            if "engine_args" in call and not ask_program(call):
                raise RuntimeError("lexiq-nova run gave no answer")
            streamed = ask_streamed(call)
        if not answer or streamed != answer:
            raise RuntimeError(f"the streamed answer is not the plain one: {streamed!r}, {answer!r}")


if __name__ == "__main__":
    main()
