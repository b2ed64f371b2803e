"""Where the broker's statements are asked for, and where a fetched one is put: two ports.

A source makes a statement when it is asked, and may take minutes or say "not yet": that is a
StatementUnavailableError, which may be another thing an hour later. What will be the same until a person does
something (an expired token, a query that does not exist) is a StatementRefusedError.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trading.errors import PermanentError, TransientError


class StatementRefusedError(PermanentError):
    """The source said no, or sent what is no statement; the message is what a person must mend."""


class StatementUnavailableError(TransientError):
    """The source could not be reached, was busy, or has not made the statement yet, for all tries."""


class StatementQuery(StrEnum):
    """What can be asked for."""

    ACTIVITY = "activity"
    CONFIRMATION = "confirmation"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedStatement:
    """A whole statement file as it came, and what it says about itself.

    `to_date` is the last day that every account in it covers; `generated_at` is the newest, None where the
    file does not say.
    """

    query: StatementQuery
    content: bytes
    accounts: tuple[str, ...]
    from_date: date
    to_date: date
    generated_at: datetime | None


class StatementSource(ABC):
    """Makes statements on demand."""

    @abstractmethod
    def configured(self) -> Collection[StatementQuery]:
        """Return the queries that can be asked: the others lack a token or a query id."""

    @abstractmethod
    def fetch(self, query: StatementQuery) -> FetchedStatement:
        """Have a statement made and return it whole, never a part of one.

        Raises StatementRefusedError, or StatementUnavailableError after a bounded number of tries.
        """


class InboxDrop(ABC):
    """The way into the inbox for what we fetch ourselves."""

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Let the file appear whole under its name, or not at all; one of that name is replaced."""
