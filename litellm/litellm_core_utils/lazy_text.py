"""The text of a log line, made only when it is written."""

from typing import Final


class LazyText:
    """
    Text that is formatted when it is read.

    Args:
        template: a format with one place.
        value: what goes there.
    """

    def __init__(self, template: str, value: object) -> None:
        self._template: Final = template
        self._value: Final = value

    def __str__(self) -> str:
        return self._template.format(self._value)
