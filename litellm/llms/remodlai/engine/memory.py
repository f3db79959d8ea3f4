"""
How much memory this machine has, and how much an engine holds, as Linux tells it.

Imports nothing but the standard library: the engine's process, which may have no LiteLLM, reads it by its path.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

KIB: Final = 2**10
GIB: Final = 2**30
# A group without a limit has one of this size, or the word for it.
UNLIMITED: Final = 2**60


class Process(NamedTuple):
    """A process that can be seen; an engine and its workers are one group."""

    pid: int
    group: int
    owner: int
    resident_bytes: int


def total_bytes() -> int | None:
    """Returns how much memory this process may have at most; None where that cannot be told."""
    return _least("MemTotal", [limit for limit, _used in _limits()])


def available_bytes() -> int | None:
    """Returns how much memory new processes can have; None where that cannot be told."""
    return _least("MemAvailable", [max(0, limit - used) for limit, used in _limits()])


def resident_bytes(group: int) -> int:
    """Returns how much memory the processes of a group hold."""
    return sum(process.resident_bytes for process in processes() if process.group == group)


def processes(folder: Path = Path("/proc")) -> Iterator[Process]:
    """
    Lists the processes of this machine.

    Args:
        folder: where the kernel shows them; it shows none where it is not Linux.
    """
    for entry in folder.glob("[0-9]*"):
        try:
            group = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[2])
            pages = int(entry.joinpath("statm").read_text().split()[1])
            owner = entry.stat().st_uid
        except (OSError, ValueError, IndexError):
            continue  # it ended between two looks, or is hidden
        yield Process(int(entry.name), group, owner, pages * os.sysconf("SC_PAGE_SIZE"))


def _least(name: str, others: list[int]) -> int | None:
    try:
        lines: Final = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return min(int(lines[name].split()[0]) * KIB, *others, UNLIMITED)
    except (OSError, KeyError, ValueError):
        return None  # not Linux


def _limits(
    processes: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> Iterator[tuple[int, int]]:
    """The limits of this process's control groups, each with what is used of it and cannot be taken back."""
    try:
        groups: Final = [line.split(":", 2)[1:] for line in processes.read_text().splitlines()]
    except OSError:
        return
    for controllers, path in groups:
        if controllers == "":
            base, files, cache = root, ("memory.max", "memory.current"), "inactive_file"
        elif "memory" in controllers.split(","):
            base, files, cache = (
                root / "memory",
                ("memory.limit_in_bytes", "memory.usage_in_bytes"),
                "total_inactive_file",
            )
        else:
            continue
        # In a container the root is its own group, and the path may be that of another namespace.
        folder = base / path.strip("/")
        for each in (folder, *folder.parents):
            if not each.is_relative_to(base):
                break
            try:
                limit, used = (int((each / name).read_text()) for name in files)
                stat = dict(line.split() for line in (each / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):
                continue  # no limit here ("max"), or no such group
            if limit < UNLIMITED:
                yield limit, used - int(stat.get(cache, 0))
