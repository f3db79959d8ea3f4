"""The queue of those who wait until another engine may load."""

import contextlib
import os
import time
from pathlib import Path
from typing import IO

from litellm.llms.remodlai.engine.runtime import exclusive


class Turn:
    """
    A place in a queue of this user's processes; one that ends, however it ends, loses it.

    Args:
        folder: holds a file for each that waits, named by when it came and locked for as long as it waits.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "nobody"
        self.file: IO[bytes] | None = None

    def take(self) -> None:
        """Stands at the end of the queue, if not in it yet."""
        if self.file is None:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.path = self.folder / f"{time.time_ns():020d}-{os.getpid()}-{id(self)}"
            self.file = exclusive(self.path)

    def __enter__(self) -> "Turn":
        return self

    def has_come(self) -> bool:
        """Whether nobody is waiting who came before."""
        for path in sorted(self.folder.iterdir()):
            if path == self.path:
                return True
            with contextlib.suppress(FileNotFoundError):  # it had its turn just now
                left = exclusive(path)
                if left is None:
                    return False
                with left:
                    path.unlink()
        return True

    def give_up(self) -> None:
        """Lets the next one have its turn."""
        self.path.unlink(missing_ok=True)
        if self.file is not None:
            self.file.close()
            self.file = None

    def __exit__(self, *_: object) -> None:
        self.give_up()
