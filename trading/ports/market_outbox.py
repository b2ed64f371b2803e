"""The market's outbox: blocks of rows on their way to the warehouse, over all symbols' streams.

Delivery is at least once and in each stream's order; (stream, entry_id) names an entry for ever. An entry
that was delivered before and not acknowledged comes again with `is_repeat`, so that the store looks first.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from trading.model.market import MarketEntry
from trading.ports.outbox import OutboxBacklog, UnreadableEntry

STREAM_ENTRIES_MAX = 20_000  # unread blocks of one symbol; then the writer is refused
STREAM_BYTES_MAX = 256 * 1024 * 1024  # of one symbol's unread blocks: a chain's has megabytes
READ_BLOCKS_MAX = 2_000
READ_BYTES_MAX = 64 * 1024 * 1024  # of one read, about: a chain's block has megabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketBatch:
    """What one read gave; all of it must be acknowledged. `is_repeat`: some of it may be stored already."""

    entries: tuple[MarketEntry, ...] = ()
    unreadable: tuple[UnreadableEntry, ...] = ()
    is_repeat: bool = False


class MarketOutboxReader(ABC):
    """One consumer of the group that drains the streams."""

    @abstractmethod
    def read(self, blocks_max: int, wait_s: float) -> MarketBatch:
        """Return what this consumer holds unacknowledged (as a repeat), else what is new.

        New symbols' streams are found by themselves. Raises LiveStateUnavailableError.
        """

    @abstractmethod
    def claim(self, blocks_max: int, idle_s: float) -> int:
        """Take over what other consumers were given and left for `idle_s`; `read` gives it as a repeat."""

    @abstractmethod
    def ack(self, entries: Sequence[MarketEntry | UnreadableEntry]) -> int:
        """Take away entries that the warehouse has; returns how many were still there."""

    @abstractmethod
    def backlog(self) -> OutboxBacklog:
        """Say how much waits, over all streams."""
