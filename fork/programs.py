"""
The programs that the providers bring, entered beside upstream's: among the wheel's entry points, in the source tree's
`pyproject.toml`.
"""

import re
from collections.abc import Mapping

from fork.lock import ForkError

# pyproject.toml of this repository cannot name them: most programs are upstream's, so they are dynamic there.
PROGRAMS: Mapping[str, str] = {"lexiq-nova": "litellm.llms.remodlai.__main__:main"}
PROJECT = "pyproject.toml"
_SECTION = re.compile(r"^\[(?:console_scripts|project\.scripts|tool\.poetry\.scripts)\]\n", re.MULTILINE)


def with_programs(path: str, text: str) -> str:
    """
    Enters our programs.

    Args:
        path: `entry_points.txt` of a wheel or `pyproject.toml` of a source tree, for errors.
        text: its text.

    Raises:
        ForkError: it has no section of programs, several, or a program of the same name.
    """
    taken = [name for name in PROGRAMS if re.search(rf"^{name}\s*=", text, re.MULTILINE)]
    if taken or len(_SECTION.findall(text)) != 1:
        raise ForkError(f"{path}: upstream has {', '.join(taken) or 'no section of programs, or several'}")
    form = '{} = "{}"\n' if path.endswith(PROJECT) else "{}={}\n"
    ours = "".join(form.format(name, target) for name, target in sorted(PROGRAMS.items()))
    return _SECTION.sub(lambda section: section[0] + ours, text)
