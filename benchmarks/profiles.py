"""
`python -m benchmarks.profiles [TASK ...]`: which part of LiteLLM the processor time of a call, chunk or event goes to.

py-spy looks at a worker a thousand times a second while `remodlai/` does each task. A look counts for the innermost
frame of its stack that a part below names, so that what a library or Python does counts for the part that called it.
Looks at threads that only wait are left out; so is what happens while modules are imported.
"""

import argparse
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks import measure
from benchmarks.report import markdown

CONTENDER = "remodlai"
TURNS = 10
REPEAT = {
    "sync call": 200,
    "async call": 200,
    "sync chunk": 20,
    "async chunk": 20,
    "responses event": 20,
    "sync responses event": 20,
    "messages event": 20,
}
LOOKS_PER_SECOND = 1000
# What a stack is like, from its outermost frame on, of a thread that only waits, or before anything is measured.
LEFT_OUT = re.compile(r"_find_and_load|(?:select|_worker|wait|settle|main) \([^;]*\)$|^process ")
# The first that a frame matches names its part.
PARTS = {
    "sending and reading: httpx, httpcore, h11, aiohttp": r"/(httpx|httpcore|h11|aiohttp)/|/llms/custom_httpx/[hac]",
    "decoding server-sent events": r"/openai/_streaming\.py|/responses/stream_body",
    "copies of a template, and the lines they are of": r"/llms/remodlai/chat/",
    "the provider's own classes and its engine": r"/llms/remodlai/",
    "what the fork does for every provider's calls": r"/(call_headers|call_retries|redirects|own_\w+|raising_\w+)\.py",
    "the answer's objects": r"/litellm/types/|convert_dict_to_response|/pydantic/",
    "hidden parameters, price, times": r"response_metadata|cost_calculat|hidden_params|llm_cost_calc|unpriced|unmapped",
    "a stream's first and last chunks, its answer put together": r"streaming_handler|streaming_chunk_builder|streamed_",
    "Anthropic's events": r"/anthropic/|tool_calls_in_turn|text_chunks",
    "Responses' events": r"/litellm/responses/",
    "the logging object": r"litellm_logging|/litellm_core_utils/logging|/litellm/_logging|unheard_success",
    "finding the provider": r"get_llm_provider_logic",
    "checking and sorting parameters": r"(\w*_params\w*|validate\w*|supported\w*) \(|get_litellm_params",
    "the provider's handler and its transformations": r"llm_http_handler|/litellm/llms/",
    "setting up a call: `client`, `function_setup`": r"/litellm/utils\.py|/caching/|dispatch\.py|asyncify|thread_pool",
    "`completion` and its like": r"/litellm/main\.py",
    "the rest of LiteLLM": r"/litellm/",
    "the event loop and threads": r"/(asyncio|anyio|concurrent)/|/(selectors|threading|queue)\.py",
}


def part_of(stack: str) -> str | None:
    """Names the part that a look counts for, None where it counts for none."""
    for frame in reversed(stack.split(";")):
        for part, pattern in PARTS.items():
            if re.search(pattern, frame):
                return part
    return None


def shares(stacks: str) -> Counter[str]:
    """Counts the looks of each part in what py-spy writes: a line has the frames of a stack, by `;`, and a number."""
    counts: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, count = line.rsplit(" ", 1)
        if not LEFT_OUT.search(stack) and (part := part_of(stack)):
            counts[part] += int(count)
    return counts


def profile(base: str, task: str) -> tuple[float, Counter[str]]:
    """Returns the microseconds of processor time of a unit, py-spy beside it, and the looks by part."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "stacks")
        spy = [Path(sys.executable).with_name("py-spy"), "record", "--nonblocking", "--full-filenames", "--function"]
        spy += ["--rate", str(LOOKS_PER_SECOND), "--format", "raw", "--output", written, "--"]
        worker = measure.Worker(base, under=[str(each) for each in spy])
        worker.run(CONTENDER, task, REPEAT[task], freeze=True)
        times = [worker.run(CONTENDER, task, REPEAT[task]) for _ in range(TURNS)]
        worker.stop()
        looks = shares(written.read_text())
    return 1e6 * sum(each["cpu"] for each in times) / sum(each["units"] for each in times), looks


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiles", description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"by default all of {', '.join(REPEAT)}")
    asked = parser.parse_args()
    if unknown := set(asked.tasks) - set(REPEAT):
        parser.error(f"no task: {', '.join(sorted(unknown))}")
    with measure.server() as base:
        found = {task: profile(base, task) for task in asked.tasks or REPEAT}
    rows = [("", *found), ("µs, py-spy beside it", *(f"{cost:.0f}" for cost, _ in found.values()))]
    for part in PARTS:
        rows.append((part, *(f"{looks[part] / looks.total():.0%}" for _, looks in found.values())))
    print(markdown(rows))


if __name__ == "__main__":
    main()
