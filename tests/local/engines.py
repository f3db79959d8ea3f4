"""What the tests of the local engine share: its models and options, calls to it, and what it says of itself."""

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

import litellm
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.runtime import ask, wait
from litellm.llms.remodlai.engine.transport import TRANSPORT
from support.models import model_dir

SECRET = "hf-a-token-that-nobody-may-see"
ARGS = {"max_model_len": 1024, "hf_token": SECRET}
MESSAGES = [{"role": "user", "content": "Count."}]
# A random model may stop at once; these tests need it to go on.
LONG = {"max_tokens": 900, "extra_body": {"ignore_eos": True}}


def model(name: str = "tiny-chat", provider: str = "lexiq_nova") -> str:
    return f"{provider}/{model_dir(name)}"


def engine(name: str = "tiny-chat", args: dict[str, Any] | None = None) -> Engine:
    return Engine.of(str(model_dir(name)), ARGS if args is None else args)


def chat(name: str = "tiny-chat", **options: Any) -> Any:
    return litellm.completion(
        **{"model": model(name), "messages": MESSAGES, "engine_args": ARGS, "max_tokens": 4, **options}
    )


async def achat(name: str = "tiny-chat", **options: Any) -> Any:
    return await litellm.acompletion(
        **{"model": model(name), "messages": MESSAGES, "engine_args": ARGS, "max_tokens": 4, **options}
    )


def status(of: Engine | None = None) -> dict[str, Any] | None:
    return wait(ask((of or engine()).folder, "status"))


def pid(of: Engine | None = None) -> int:
    found = status(of)
    assert found, "no engine is running"
    return found["pid"]


def processes(group: int) -> list[Path]:
    """The directories in /proc of a process group's members that still run: an engine and its workers."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended between two looks
            state, _, of = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                found.append(process)
    return found


def generating(of: Engine | None = None) -> float:
    """vLLM's own count of requests that are running."""
    with httpx.Client(transport=TRANSPORT) as client:
        text = client.get(f"lexiq-nova://{(of or engine()).name}/metrics").text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "vllm:num_requests_running"
    )


def script(text: str, folder: Path, **options: Any) -> "subprocess.Popen[str]":
    """A Python file, without a guard around its calls, as a process."""
    file = folder / "script.py"
    file.write_text(f"import litellm\nMODEL, ARGS, MESSAGES = {model()!r}, {ARGS!r}, {MESSAGES!r}\n{text}")
    return subprocess.Popen([sys.executable, str(file)], stdout=subprocess.PIPE, text=True, **options)
