"""The way of circuit breakers' changes to the warehouse: a small outbox, and the table where they stay.

A change is appended where it happens, read until it is acknowledged, and kept under its entry's own name: a
kill at any line repeats an insert that changes nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from trading.feeds.breaker import BreakerTransition

ENTRIES_MAX = 20_000  # unread; a breaker that flaps every minute for two weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerEntry:
    """One change as it lies in the stream; (stream, entry_id) names it for ever."""

    stream: str
    entry_id: str
    transition: BreakerTransition


class BreakerOutbox(ABC):
    """Raises LiveStateUnavailableError when nothing is certain, OutboxFullError at ENTRIES_MAX."""

    @abstractmethod
    def append(self, transitions: Sequence[BreakerTransition]) -> None:
        """Append changes in order."""

    @abstractmethod
    def read(self, most: int) -> Sequence[BreakerEntry]:
        """Return the oldest entries that are not acknowledged; an unreadable one is dropped, logged."""

    @abstractmethod
    def ack(self, entries: Sequence[BreakerEntry]) -> None:
        """Take away entries that the warehouse has."""


class BreakerLog(ABC):
    """Raises WarehouseUnavailableError or WarehouseError; what raised may be recorded again."""

    @abstractmethod
    def record(self, entries: Sequence[BreakerEntry]) -> None:
        """Keep changes; one that is there already is not kept twice."""
