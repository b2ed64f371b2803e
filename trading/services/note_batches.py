"""The notes of a drain on its batches, told together: small inserts cost more than they tell.

A bundle that could not be told is told again as it was, so that it is known again; the notes behind it wait.
What a kill loses of them are counts: the rows themselves are stored before.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha1

from trading.errors import DeskError
from trading.model.market import MarketEntry
from trading.ports.batch_log import BATCHES_PER_CALL_MAX, BatchLog, BatchNote
from trading.ports.market_outbox import MarketBatch
from trading.ports.market_store import LoadReport

MILLISECOND = timedelta(milliseconds=1)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class BatchNotes:
    """What waits to be told; the oldest goes beyond BATCHES_PER_CALL_MAX."""

    log: BatchLog | None
    _waiting: deque[BatchNote] = field(default_factory=lambda: deque(maxlen=BATCHES_PER_CALL_MAX))
    _sent: tuple[BatchNote, ...] = ()  # a bundle of which nobody knows whether it is there

    def add(
        self, batch: MarketBatch, reports: Sequence[LoadReport], began_at: datetime, ended_at: datetime
    ) -> None:
        """Keep what a batch did."""
        if self.log is not None:
            self._waiting.append(note_of(batch, reports, began_at, ended_at))

    def tell(self) -> None:
        """Tell what waits; what cannot be told is kept, and holds nothing up."""
        if self.log is None:
            return
        try:
            while self._sent or self._waiting:
                if not self._sent:
                    self._sent = tuple(self._waiting)
                    self._waiting.clear()
                self.log.record(self._sent)
                self._sent = ()
        except DeskError as error:
            logger.warning("market_batches_wait notes=%d error=%s", len(self._sent), error)


def note_of(
    batch: MarketBatch, reports: Sequence[LoadReport], began_at: datetime, ended_at: datetime
) -> BatchNote:
    """Add up what was told, stored and refused."""
    names = [f"{entry.stream} {entry.entry_id}" for entry in batch.entries]
    names += [f"{entry.stream} {entry.entry_id}" for entry in batch.unreadable]
    unread = len(batch.unreadable)
    return BatchNote(
        batch_id=sha1("\n".join(names).encode("utf-8", "replace"), usedforsecurity=False).hexdigest(),
        origin=_origin(names),
        sources=_sources(batch.entries),
        rows=sum(report.total for report in reports) + unread,
        new=sum(report.new for report in reports),
        repeated=sum(report.repeated for report in reports),
        refused=sum(report.refused for report in reports) + unread,
        oldest_at=min((report.oldest_at for report in reports if report.oldest_at), default=None),
        newest_at=max((report.newest_at for report in reports if report.newest_at), default=None),
        began_at=began_at,
        ended_at=ended_at,
        duration_ms=max(0, (ended_at - began_at) // MILLISECOND),
    )


def _sources(entries: Sequence[MarketEntry]) -> tuple[str, ...]:
    return tuple(sorted({entry.block.source for entry in entries}))


def _origin(names: Sequence[str]) -> str:
    return f"{len(names)} blocks, {names[0]} to {names[-1]}" if names else "no blocks"
