"""One question's life: when it is due, how often it has failed, what it brought; and a feed's health of them.

Keep out: asking, publishing, what a failure means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.feeds.breaker import Breaker, BreakerState
from trading.feeds.poller import Moment, Poll
from trading.feeds.vendor_plan import Question
from trading.ports.feed_health import FeedHealth, FeedState

TEXT_CHARS_MAX = 200


@dataclass(slots=True, kw_only=True)
class VendorTask:
    """A question and its breaker, which the indicators of a symbol share."""

    question: Question
    every: timedelta
    due_at: datetime
    breaker: Breaker
    is_asked: bool = False
    failures: int = 0
    newest_at: datetime | None = None
    rows: int = 0
    refused: int = 0
    errors: int = 0
    text: str = ""

    def told(self, newest_at: datetime | None, rows: int, refused: int, text: str = "") -> None:
        """An answer came, and this was in it."""
        self.rows += rows
        self.refused += refused
        self.text = text[:TEXT_CHARS_MAX]
        if newest_at is not None and (self.newest_at is None or newest_at > self.newest_at):
            self.newest_at = newest_at

    def failed(self, text: str) -> None:
        """An answer failed."""
        self.failures += 1
        self.errors += 1
        self.text = text[:TEXT_CHARS_MAX]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorPoll(Poll):
    """A question on its way; a local one is computed here and spends nothing."""

    task: VendorTask
    asked_at: Moment
    is_local: bool = False


def health_of(
    source: str, tasks: Sequence[VendorTask], said_at: datetime, limit_s: float | None, broken_why: str
) -> FeedHealth:
    """A feed of one symbol is as old as the oldest of its parts, and has told nothing while one has not."""
    first = tasks[0]
    moments = [task.newest_at for task in tasks if task.newest_at is not None]
    is_broken = bool(broken_why) or any(task.breaker.state is not BreakerState.CLOSED for task in tasks)
    return FeedHealth(
        feed=first.question.feed,
        symbol=first.question.symbol,
        source=source,
        state=FeedState.BROKEN if is_broken else FeedState.RUNNING,
        said_at=said_at,
        newest_at=min(moments) if len(moments) == len(tasks) else None,
        rows=sum(task.rows for task in tasks),
        refused=sum(task.refused for task in tasks),
        errors=sum(task.errors for task in tasks),
        limit_s=limit_s,
        text=broken_why or next((task.text for task in tasks if task.text), ""),
    )
