"""The warehouse's side of market data: rows in, exactly once; what was there, out.

`record` takes entries of the outbox, `load` takes rows of a source for one session (a backfill): both may be
repeated in any overlap and give the same tables.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from trading.model.market import MarketEntry, MarketKind, MarketRow
from trading.ports.outbox import UnreadableEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a load did, by rows; `refused` went to the dead letter."""

    kind: MarketKind
    total: int
    new: int
    repeated: int
    refused: int
    oldest_at: datetime | None
    newest_at: datetime | None


class MarketStore(ABC):
    """Raises WarehouseUnavailableError or WarehouseError; what raised may be done again."""

    @abstractmethod
    def record(
        self, entries: Sequence[MarketEntry], unreadable: Sequence[UnreadableEntry], *, is_repeat: bool
    ) -> Sequence[LoadReport]:
        """Store entries of the outbox, keyed by (stream, entry_id, place in the block)."""

    @abstractmethod
    def load(self, kind: MarketKind, session: date, source: str, rows: Iterable[MarketRow]) -> LoadReport:
        """Store one session's rows of a source, keyed by their content; repeating adds nothing.

        Rows of the same source, kind, session and symbols that are not among `rows` any more are taken away.
        """
