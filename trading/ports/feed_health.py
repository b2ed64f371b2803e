"""How each feed is: its age, rate, errors and breaker; said by who hears it, seen by people and alerts."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FEED_LIFE_S = 60.0  # a feed that said nothing for so long is gone from the board
FEEDS_PER_CALL_MAX = 10_000


class FeedState(StrEnum):
    """What a feed does now."""

    RUNNING = "running"
    IDLE = "idle"  # outside its hours, which is no fault
    STALE = "stale"
    BROKEN = "broken"  # its breaker is open
    STARTING = "starting"
    ABSENT = "absent"  # wanted, and the plan of lines has none for it: no fault, but said


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """One feed of one symbol. `age_s` is that of its newest row on the market's clock, None without one.

    `asked_at` is since when an answer may be expected, on the market's clock: before it no silence begins.

    `is_silent`: older than its limit in its hours, also where its state says something worse.
    """

    feed: str
    symbol: str
    source: str
    state: FeedState
    said_at: datetime
    newest_at: datetime | None = None
    age_s: float | None = None
    rows: int = 0
    rows_per_s: float = 0.0
    refused: int = 0
    errors: int = 0
    reconnects: int = 0
    limit_s: float | None = None  # older than this is stale
    asked_at: datetime | None = None
    text: str = ""
    is_silent: bool = False

    @property
    def stands_still(self) -> bool:
        """Whether somebody who goes by this feed must not: an open breaker does not make it younger."""
        return self.is_silent or self.state is FeedState.STALE


class FeedBoard(ABC):
    """Raises LiveStateUnavailableError."""

    @abstractmethod
    def say(self, feeds: Sequence[FeedHealth]) -> None:
        """Set how these feeds are; one that says nothing for its life is gone from the board."""

    @abstractmethod
    def feeds(self) -> Sequence[FeedHealth]:
        """Return every feed, by source, feed and symbol."""
