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
        """Store entries of the outbox, keyed by (stream, entry_id, place in the block).

        `is_repeat`: some of it may be there already, wholly or in part; it is looked for first. The reports
        count rows by kind; a chain counts its contracts. A row that cannot be held goes to the dead letter.
        """

    @abstractmethod
    def load(self, kind: MarketKind, session: date, source: str, rows: Iterable[MarketRow]) -> LoadReport:
        """Store one session's rows of a source in place of all that it said of that session and kind.

        Readers see the rows of before or those of now, never some of each. Repeating adds nothing, whatever
        the order: `new` counts rows that were not there by their content. A row whose time belongs to another
        session goes to the dead letter. Live rows, and those of other sources, are not touched; `rows` is
        read once, in bounded memory. No rows means that there is nothing.
        """

    @abstractmethod
    def settle(self, *, at_once: bool = False) -> None:
        """Roll up what `record` left for later, and what a killed writer left; cheap to ask often.

        `at_once`: whether it is time or not, as a process does that ends.
        """
