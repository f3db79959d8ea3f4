"""
Makes this process what `pip install .` leaves: a package that only an extra of LiteLLM brings cannot be imported.

    python -m support.without_extras program.py arguments
"""

import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from types import ModuleType

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed(name: str, extras: frozenset[str] = frozenset()) -> set[tuple[str, frozenset[str]]]:
    """A distribution and all that it needs, each with the extras by which it is needed."""
    found: set[tuple[str, frozenset[str]]] = set()
    pending = [(canonicalize_name(name), extras)]
    while pending:
        each = pending.pop()
        if each in found:
            continue
        found.add((str(each[0]), each[1]))
        try:
            lines = requires(each[0]) or []
        except PackageNotFoundError:
            continue
        for requirement in map(Requirement, lines):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *each[1])):
                pending.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return found


class Refusing(MetaPathFinder):
    """Finds nothing, and refuses the packages of all distributions but some."""

    def __init__(self, kept: set[str]) -> None:
        self.refused = {
            package
            for package, owners in packages_distributions().items()
            if kept.isdisjoint(canonicalize_name(owner) for owner in owners)
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self.refused:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


if __name__ == "__main__":
    sys.meta_path.insert(0, Refusing({name for name, _extras in needed("litellm")}))
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
