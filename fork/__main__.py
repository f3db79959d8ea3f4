"""
The command line: `python -m fork build | audit | patch | series | check | matrix | pin | apply`.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from fork import patch, series
from fork.backend import build
from fork.check import check, table
from fork.edits import all_edits
from fork.lock import ForkError, locked_beside, locked_versions, newest, release, write
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


def _check(arguments: argparse.Namespace) -> None:
    for found in check(arguments.version or newest(), tests=not arguments.without_tests):
        print(found.line, flush=True)


def _matrix(arguments: argparse.Namespace) -> None:
    for line in table(arguments.versions or locked_versions(), tests=not arguments.without_tests):
        print(line, flush=True)


def _pin(arguments: argparse.Namespace) -> None:
    _check(arguments)
    lock = locked_beside(arguments.version)
    write(lock if arguments.beside else {**lock, "pin": arguments.version})
    print(f"{'locked' if arguments.beside else 'pinned'} litellm {arguments.version}")


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

    command = commands.add_parser("series", help="write the change as patches that `git am` takes")
    command.add_argument("directory", type=Path)
    command.add_argument("--only", metavar="NAME", help="write this patch alone")
    command.add_argument("--tree", type=Path, help="a checkout of LiteLLM that they are for; by default the release")
    command.set_defaults(
        run=lambda arguments: print(*series.write(arguments.directory, arguments.only, arguments.tree), sep="\n")
    )

    command = commands.add_parser("apply", help="make the change in an upstream checkout")
    command.add_argument("directory", type=Path)
    command.set_defaults(run=lambda arguments: print(f"{len(patch.apply(arguments.directory))} files written"))

    quick = argparse.ArgumentParser(add_help=False)
    quick.add_argument("--without-tests", action="store_true", help="do not run the tests, which take minutes")

    command = commands.add_parser("check", parents=[quick], help="tell all that a release needs; writes nothing")
    command.add_argument("version", nargs="?", help="by default the newest on the index")
    command.set_defaults(run=_check)

    command = commands.add_parser("matrix", parents=[quick], help="check releases and print a table of them")
    command.add_argument("versions", nargs="*", help="by default all that the lock lists")
    command.set_defaults(run=_matrix)

    command = commands.add_parser("pin", parents=[quick], help="check a release, then lock and pin it")
    command.add_argument("version")
    command.add_argument("--beside", action="store_true", help="lock it beside the pinned one, which stays")
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
