"""
The command line: `python -m fork build | audit | patch | pin | apply`.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from fork import patch
from fork.backend import build
from fork.edits import all_edits
from fork.lock import ForkError, pin, release
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import all_rules, wire


def _build(arguments: argparse.Namespace) -> None:
    arguments.directory.mkdir(parents=True, exist_ok=True)
    print(arguments.directory / build(str(arguments.directory), overlay()))


def _audit(arguments: argparse.Namespace) -> None:
    without = set(arguments.without)
    if unknown := without - set(all_rules()):
        raise ForkError(f"no such rule: {', '.join(sorted(unknown))}. Rules: {', '.join(all_rules())}")
    locked = release()
    wheel = upstream_wheel(locked)
    with locked.opened(wheel) as archive:
        wired = wire(archive, set(all_rules()) - without)
    for mention in wired.mentions:
        print(mention)
    for each in all_edits():
        for change in each.places(wired.version):
            print(f"{change.path}: edit {each.name}: {change.how} {change.symbol}: {each.reason}")
    for fault in wired.left_out:
        print(f"left out: {fault}")
    counts = Counter((mention.reason or "UNEXPLAINED").split(":")[0] for mention in wired.mentions)
    files = len({mention.path for mention in wired.mentions})
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    print(f"litellm {locked.version}: {len(wired.mentions)} mentions in {files} files ({summary})")
    wired.check()


def _pin(arguments: argparse.Namespace) -> None:
    pinned = pin(arguments.version)
    print(f"pinned litellm {pinned.version} ({len(pinned.wheels)} wheels); now run: python -m fork audit")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fork", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("build", help="build the fork's wheel")
    command.add_argument("directory", nargs="?", type=Path, default=Path("dist"))
    command.set_defaults(run=_build)

    command = commands.add_parser("audit", help="print every upstream mention with what explains it")
    command.add_argument("--without", action="append", default=[], metavar="RULE", help="leave a rule out")
    command.set_defaults(run=_audit)

    command = commands.add_parser("patch", help="write the change as a diff for an upstream pull request")
    command.add_argument("file", nargs="?", type=Path, default=Path("build/remodlai.patch"))
    command.set_defaults(run=lambda arguments: print(patch.write(arguments.file)))

    command = commands.add_parser("apply", help="make the change in an upstream checkout")
    command.add_argument("directory", type=Path)
    command.set_defaults(run=lambda arguments: print(f"{len(patch.apply(arguments.directory))} files written"))

    command = commands.add_parser("pin", help="add a release to the lock and pin it")
    command.add_argument("version")
    command.set_defaults(run=_pin)

    arguments = parser.parse_args(argv)
    try:
        arguments.run(arguments)
    except ForkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
