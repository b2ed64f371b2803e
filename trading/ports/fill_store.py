"""Where fills are kept: the port behind `core.fill_revisions`, `core.commissions` and their views."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from trading.model.fills import Fill, FillBatch, FillRevision, Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What one batch did: total = new + duplicates + corrected + rejected, over every trade row."""

    batch_id: str
    origin: str
    total: int
    new: int
    duplicates: int
    corrected: int
    rejected: int
    first_fill_at: datetime | None
    last_fill_at: datetime | None
    touched: tuple[tuple[str, date], ...] = ()  # (account, session) pairs whose fills or fees changed


class FillStore(ABC):
    """Fills, exactly once, under concurrent and repeated writers."""

    @abstractmethod
    def record(self, batch: FillBatch, received_at: datetime) -> BatchReport:
        """Store what is new of a batch (fills, fees, refused rows, coverage) and say what it did.

        Safe to repeat and to run twice at once. Raises WarehouseUnavailableError when nothing is certain: the
        caller keeps the file pending and tries again.
        """

    def record_all(self, batches: Sequence[FillBatch], received_at: datetime) -> Sequence[BatchReport]:
        """Store several batches as if one after the other, and say what each of them did.

        After an error any part of them may be stored, and each of them may be told again. `touched` of a
        batch may name sessions that another of them changed in the same fills.
        """
        return [self.record(batch, received_at) for batch in batches]

    @abstractmethod
    def fills(self, venue: Venue, account: str, sessions: Collection[date]) -> Sequence[Fill]:
        """Return the fills as they stand whose winning revision lies in these sessions, in FIFO order."""

    @abstractmethod
    def revisions(self, venue: Venue, account: str, fill_id: str) -> Sequence[FillRevision]:
        """Return every version of one fill, lowest precedence first."""

    @abstractmethod
    def sessions_with_fills(self, venue: Venue, account: str, start: date, end: date) -> Sequence[date]:
        """Return the sessions in [start, end] that hold any fill revision, ascending."""

    @abstractmethod
    def accounts(self) -> Sequence[tuple[Venue, str]]:
        """Return every (venue, account) that has fills or statements."""
