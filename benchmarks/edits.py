"""
`python -m benchmarks.edits [EDIT ...]`: what each edit for speed saves of a call or chunk.

The release is wired with all edits, and once for each edit without it. All wirings are imported into one process, where
they take turns, because two processes of the same code differ by up to seven percent. What is compared is processor
time; on a busy machine that varies too. The row `(none)` compares a wiring with itself: how much of a figure is chance.
Edits of what only a Router or a proxy does are not measured here.
"""

import argparse
import asyncio
import gc
import importlib
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType

from benchmarks import measure
from benchmarks.__main__ import DIRECTORY, upstream_release
from benchmarks.contenders import RemodlAI
from benchmarks.worker import CHUNKS, TASKS, Turn
from fork.edit import Edit
from fork.edits import all_edits
from fork.lock import release
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import wire

# The wiring with all edits, and the same once more, as if without an edit.
ALL, NONE = "(all)", "(none)"
CALLS = ("sync call", "async call")
STREAMS = ("sync chunk", "async chunk", "responses event", "sync responses event", "messages event")
REPEAT = {**dict.fromkeys(CALLS, 10), **dict.fromkeys(STREAMS, 1)}


@contextmanager
def wired(without: str) -> Iterator[Path]:
    """Yields a directory with the fork, its edit called `without` left out."""
    locked, upstream = release(), upstream_release()
    with tempfile.TemporaryDirectory(dir=DIRECTORY) as scratch, locked.opened(upstream_wheel(locked)) as archive:
        made = wire(archive, edits=[edit for edit in all_edits() if edit.name != without])
        made.check()
        directory = Path(scratch, "fork")
        shutil.copytree(upstream, directory, copy_function=os.link)
        for path, data in {**{path: text.encode() for path, text in made.files.items()}, **overlay()}.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # a link of what upstream's release has there
            target.write_bytes(data)
        yield directory


class Wiring:
    """One of several copies of LiteLLM in this process: `with` makes it the one that imports find."""

    def __init__(self, directory: Path, base: str) -> None:
        self._directory, self._modules = str(directory), dict[str, ModuleType]()
        with self:
            importlib.import_module("litellm")
            self.contender = RemodlAI(base)

    def __enter__(self) -> "Wiring":
        for name in [name for name in sys.modules if name.split(".")[0] == "litellm"]:
            # A library of Rust code is loaded once in a process; all copies share it.
            if not isinstance(getattr(sys.modules[name].__spec__, "loader", None), ExtensionFileLoader):
                del sys.modules[name]
        sys.modules.update(self._modules)
        sys.path.insert(0, self._directory)
        return self

    def __exit__(self, *_: object) -> None:
        sys.path.remove(self._directory)
        self._modules = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "litellm"}


def processor_times(
    wirings: dict[str, Wiring], task: str, rounds: int, loop: asyncio.AbstractEventLoop
) -> dict[str, float]:
    """Seconds of processor time of one call or chunk by wiring: medians."""
    names = list(wirings)
    values: dict[str, list[float]] = {name: [] for name in names}
    with ThreadPoolExecutor(1) as pool:
        for number in range(-1, rounds):  # the first one only warms up
            for name in measure.order(names, number):
                with wirings[name] as wiring:
                    cpu, _, units = TASKS[task](Turn(wiring.contender, REPEAT[task], CHUNKS, pool, loop))
                if number >= 0:
                    values[name].append(cpu / units)
            if number < 0:
                gc.collect()
                gc.freeze()  # all copies of LiteLLM; a collection that looks at them hits whoever's turn it is
    return {name: statistics.median(each) for name, each in values.items()}


def is_of_a_call(edit: Edit) -> bool:
    """Whether it is for speed, and of more than a Router's or a proxy's calls, in the pinned release."""
    paths = [change.path for change in edit.places(release().version)]
    return edit.speed and not all(path.startswith(("litellm/proxy/", "litellm/router")) for path in paths)


def main() -> None:
    known = [edit.name for edit in all_edits() if is_of_a_call(edit)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edits", description=__doc__)
    parser.add_argument("edits", nargs="*", metavar="EDIT", help=f"by default all of {', '.join(known)}")
    parser.add_argument("--tasks", nargs="*", choices=REPEAT, default=CALLS)
    parser.add_argument("--rounds", type=int, default=100, help="turns of each wiring")
    asked = parser.parse_args()
    if unknown := set(asked.edits) - set(known):
        parser.error(f"no edit for speed of litellm {release().version}: {', '.join(sorted(unknown))}")
    os.environ.update(measure.environment())
    loop = asyncio.new_event_loop()
    with measure.server() as base, ExitStack() as stack:
        directories = {name: stack.enter_context(wired(name)) for name in (NONE, *(asked.edits or known))}
        wirings = {name: Wiring(place, base) for name, place in {ALL: directories[NONE], **directories}.items()}
        times = {task: processor_times(wirings, task, asked.rounds, loop) for task in asked.tasks}
    print(f"| litellm {release().version}, edit | {' | '.join(f'saves of a {task}' for task in times)} |")
    print(f"| --- |{' --- |' * len(times)}")
    for name in directories:
        print(f"| `{name}` | {' | '.join(f'{1 - each[ALL] / each[name]:.1%}' for each in times.values())} |")


if __name__ == "__main__":
    main()
