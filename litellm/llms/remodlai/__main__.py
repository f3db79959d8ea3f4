"""
The command line of the local engines: `python -m litellm.llms.remodlai engines | stop [MODEL] | logs MODEL`, and
`doctor [MODEL]`, which says what a call would reach.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from litellm.llms.remodlai.doctor import doctor
from litellm.llms.remodlai.engine.engine import Engine, engines, running_engines
from litellm.llms.remodlai.engine.runtime import POLL_SECONDS, ask, wait
from litellm.llms.remodlai.engine.states import state_in
from litellm.llms.remodlai.errors import LexiqNovaError

COLUMNS = "{:<44} {:>8} {:>10} {:>10} {:>8}  {}"


def _say(line: str, to: TextIO | None = None) -> None:
    (to or sys.stdout).write(line + "\n")


def _matching(found: list[Engine], model: str | None) -> list[Engine]:
    path = os.path.realpath(os.path.expanduser(model)) if model and os.path.exists(os.path.expanduser(model)) else model
    return [engine for engine in found if model is None or path in (engine.model, engine.name)]


def _memory(pid: int) -> str:
    """Resident memory of an engine's processes: they share its process group."""
    if not Path("/proc/self/stat").exists():
        return "-"
    pages = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            group = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[2])
            pages += int(entry.joinpath("statm").read_text().split()[1]) if group == pid else 0
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended between two looks
    return f"{pages * os.sysconf('SC_PAGE_SIZE') / 2**20:.0f} MiB"


def _row(engine: Engine, status: dict[str, Any]) -> str:
    if not status:
        return COLUMNS.format(engine.model, "-", "-", "-", "-", "does not answer")
    state = state_in(status).value
    uptime = time.strftime("%H:%M:%S", time.gmtime(status["uptime"]))
    return COLUMNS.format(engine.model, status["pid"], _memory(status["pid"]), uptime, status["running"], state)


def show_engines() -> int:
    """Prints the engines that are up: model, process, memory, uptime, requests running."""
    _say(COLUMNS.format("MODEL", "PID", "MEMORY", "UPTIME", "RUNNING", "STATE"))
    for engine in running_engines():
        status = wait(ask(engine.folder, "status"))
        if status is not None:
            _say(_row(engine, status))
    return 0


def stop(model: str | None) -> int:
    """Stops the engines of a model, or all; calls that are running end with an error."""
    found = _matching(running_engines(), model)
    for engine in found:
        wait(ask(engine.folder, "stop"))
    for engine in found:
        while wait(ask(engine.folder, "status")) is not None:
            time.sleep(POLL_SECONDS)
        _say(f"stopped {engine.model}")
    if not found and model is not None:
        _say(f"no engine of {model} is running", sys.stderr)
    return int(not found and model is not None)


def logs(model: str) -> int:
    """Prints the log of the last engine of a model."""
    found = _matching([engine for engine in engines() if engine.log.exists()], model)
    if not found:
        _say(f"no log of {model}", sys.stderr)
        return 1
    newest = max(found, key=lambda engine: engine.log.stat().st_mtime)
    with newest.log.open(errors="replace") as lines:
        sys.stdout.writelines(lines)
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m litellm.llms.remodlai", description="Engines of this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("engines", help="list the engines that are up")
    command = commands.add_parser("doctor", help="say which server a call reaches, and whether it answers")
    command.add_argument("model", nargs="?", metavar="MODEL", help="remodlai/... or lexiq_nova/...")
    command.add_argument("--api-base", metavar="URL", help="the call's api_base=")
    command = commands.add_parser("stop", help="stop an engine, or all")
    command.add_argument("model", nargs="?", metavar="MODEL")
    command = commands.add_parser("logs", help="print an engine's log")
    command.add_argument("model", metavar="MODEL")
    parsed = parser.parse_args(arguments)
    try:
        if parsed.command == "doctor":
            return doctor(_say, parsed.model, parsed.api_base)
        if parsed.command == "engines":
            return show_engines()
        return stop(parsed.model) if parsed.command == "stop" else logs(parsed.model)
    except LexiqNovaError as error:
        _say(error.message, sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
