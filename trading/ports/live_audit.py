"""What was told live of past sessions, held against what the statement told: the port of that comparison."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from trading.ports.model_runner import SessionRange


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFault:
    """One fill that the live capture and the statement tell differently.

    `fault` is `missing` (not told live), `not_in_statement` or `differs`; `in_hole` says that no answer of
    the broker covers its time, so that nobody can have told it.
    """

    account: str
    session: date
    fill_id: str
    fill_ts: datetime
    fault: str
    in_hole: bool
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenedSession:
    """A session of an account to which the broker session listened; whether a statement has told it since."""

    account: str
    session: date
    has_statement: bool


class LiveAudit(ABC):
    """Every method raises WarehouseUnavailableError when it cannot answer."""

    @abstractmethod
    def faults(self, sessions: SessionRange | None, most: int) -> Sequence[LiveFault]:
        """Return the faults of sessions that were listened to and that a statement tells, newest first."""

    @abstractmethod
    def listened(self, sessions: SessionRange | None, most: int) -> Sequence[ListenedSession]:
        """Return the account sessions that were listened to, newest first."""
