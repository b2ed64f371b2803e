"""Puts a file into the inbox folder so that a look at the folder sees all of it or none.

Written under a name that the inbox passes over, flushed to the disk, then renamed: a kill at any moment
leaves at most a part file, which nobody lands.
"""

import os
from pathlib import Path

from trading.errors import InvalidFieldError
from trading.ports.statement_source import InboxDrop


class FolderDrop(InboxDrop):
    """The way into `folder`, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Write the part file, then give it its name."""
        if not name or Path(name).name != name or name.startswith("."):
            raise InvalidFieldError("name", "a plain file name", name)
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".{name}.{os.getpid()}.part"
        try:
            with part.open("wb") as target:
                target.write(content)
                target.flush()
                os.fsync(target.fileno())
            part.replace(self._folder / name)
        finally:
            part.unlink(missing_ok=True)
