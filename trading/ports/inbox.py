"""The inbox: files that a person or a broker drops, what is in them, and the record of what became of each.

Three ports: the folder itself, the reader that turns a file into values, and the log of landings.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trading.errors import PermanentError
from trading.model.fills import FillBatch
from trading.model.statements import BrokerStatement


class FileRefusedError(PermanentError):
    """The file can never be read as it is: its message is the reason that people see.

    batches: what belongs into the dead letter all the same; they hold no fill.
    """

    def __init__(self, reason: str, *, batches: tuple[FillBatch, ...] = ()) -> None:
        self.batches = batches
        super().__init__(reason)


class FileChangedError(PermanentError):
    """The file is not the one that was asked for any more; it will be seen anew."""


class LandingState(StrEnum):
    """What became of a file."""

    LANDED = "landed"
    REFUSED = "refused"
    RECONCILED = "reconciled"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """What a file looks like from outside; two equal stamps mean that it stood still."""

    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFile:
    """A file by name (relative to the inbox) and content."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """One event of one file; first and last session bound what must be reconciled, None: nothing."""

    file: InboxFile
    state: LandingState
    at: datetime
    reason: str = ""
    venue: str = ""
    kind: str = ""
    accounts: tuple[str, ...] = ()
    first_session: date | None = None
    last_session: date | None = None
    total_rows: int = 0
    new_rows: int = 0
    duplicates_filtered: int = 0
    corrected: int = 0
    rejected: int = 0
    first_fill_at: datetime | None = None
    last_fill_at: datetime | None = None
    archived_as: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """What a file says: all its batches, and its statements (whose own batches are among them)."""

    batches: tuple[FillBatch, ...]
    statements: tuple[BrokerStatement, ...]


class Inbox(ABC):
    """The folder; originals are never changed."""

    @abstractmethod
    def stamps(self) -> Mapping[str, FileStamp]:
        """Return every file that counts, by name; part, dot and temporary files do not."""

    @abstractmethod
    def identify(self, name: str) -> InboxFile:
        """Hash a file; raises FileRefusedError where it must not be read (a link, too large)."""

    @abstractmethod
    def archive(self, file: InboxFile) -> str:
        """Keep a read-only copy under its hash, return its name; FileChangedError if it is another file."""

    @abstractmethod
    def archived(self, sha256: str) -> bytes:
        """Return the content of an archived file, checked against its hash."""


class FileReader(ABC):
    """Tells what a file is, by looking into it, and reads it."""

    @abstractmethod
    def read(self, content: bytes, name: str) -> ReadFile:
        """Return what the file says; raises FileRefusedError where no venue would have written it."""


class LandingLog(ABC):
    """What became of each file, for ever."""

    @abstractmethod
    def record(self, landings: Sequence[Landing]) -> None:
        """Append events; the same event twice is one."""

    @abstractmethod
    def latest(self, sha256s: Collection[str]) -> Mapping[str, LandingState]:
        """Return the newest state of each known content."""

    @abstractmethod
    def unreconciled(self) -> Sequence[Landing]:
        """Return landed files whose sessions have not been reconciled since, oldest first."""

    @abstractmethod
    def covering(self, first: date, last: date) -> Sequence[Landing]:
        """Return the readable files that touch these sessions, each content once, oldest first."""
