"""How often a vendor is asked: rolling windows over all feeds of one key, shared fairly between them.

A plan that is exceeded costs more than a late answer: the vendor refuses everything for a while. So the
windows roll (no burst over the turn of a minute), they are a little longer than the vendor's (requests that
leave a minute apart may arrive closer together), and the day's is a rolling one too, since no vendor says in
whose time zone its day ends. What was spent is told to a ledger before a request leaves, so a restart forgets
none.

Fair: a feed leaves room for those that were refused of late and have had less.
Time is an argument. One caller's thread only. Keep out: clocks, sleeping, who asks for what.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
MARGIN = timedelta(seconds=1)  # of the network: arrivals may lie closer together than departures
SECOND_MARGIN = timedelta(milliseconds=250)
WAITS_FOR = timedelta(seconds=5)  # a refused feed is remembered so long after its turn, come or not
FEEDS_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Requests of one key in any minute; in any day and second where they are limited (0: they are not)."""

    per_minute: int
    per_day: int = 0
    per_second: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whether a request may leave now; if not, why, and when to come again."""

    allowed: bool
    wait_s: float = 0.0
    reason: str = ""


GO = Turn(allowed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was spent in the last minute and day."""

    minute: int
    day: int


class RequestLimiter:
    """One key's windows. `spent` is what the ledger has: requests by the minute in which they left."""

    def __init__(self, limits: RateLimits, spent: Mapping[datetime, int], now: datetime) -> None:
        if limits.per_minute < 1 or limits.per_day < 0 or limits.per_second < 0:
            raise ValueError(f"limits: expected 1 or more a minute, 0 or more a day and second, was {limits}")
        self.limits = limits
        self._latest = now
        self._recent: deque[tuple[datetime, str]] = deque()  # at most per_minute long
        self._minutes: dict[datetime, int] = {}  # at most a day of them and one
        self._by_feed: Counter[str] = Counter()
        self._waiting: dict[str, datetime] = {}
        self._held_until: datetime | None = None
        self._held_why = ""
        self._restore(spent, now)

    def ask(self, feed: str, now: datetime) -> Turn:
        """Take one request for the feed, or say when to come again. What is taken counts, sent or not."""
        now = self._at(now)
        refusal = self._refusal(feed, now)
        if refusal is not None:
            if len(self._waiting) < FEEDS_MAX:
                self._waiting[feed] = now + timedelta(seconds=refusal.wait_s) + WAITS_FOR
            return refusal
        self._take(feed, now)
        return GO

    def hold(self, until: datetime, why: str) -> None:
        """Let nothing leave until then: the vendor has said that it is asked too often."""
        if self._held_until is None or until > self._held_until:
            self._held_until, self._held_why = until, why

    def usage(self, now: datetime) -> Usage:
        """Say what was spent."""
        self._at(now)
        return Usage(minute=len(self._recent), day=sum(self._minutes.values()))

    def held(self, now: datetime) -> str:
        """Why nothing leaves now by the vendor's word; empty where it may."""
        return self._held_why if self._held_until is not None and now < self._held_until else ""

    def _refusal(self, feed: str, now: datetime) -> Turn | None:
        if self._held_until is not None and now < self._held_until:
            return _later(self._held_until - now, self._held_why)
        if self.limits.per_day and sum(self._minutes.values()) >= self.limits.per_day:
            return _later(min(self._minutes) + MINUTE + DAY + MARGIN - now, "the day's requests are spent")
        if len(self._recent) >= self.limits.per_minute:
            return _later(self._recent[0][0] + MINUTE + MARGIN - now, "the minute's requests are spent")
        if self.limits.per_second and len(self._recent) >= self.limits.per_second:
            turn = self._recent[-self.limits.per_second][0] + SECOND + SECOND_MARGIN
            if now < turn:
                return _later(turn - now, "the second's requests are spent")
        free = self.limits.per_minute - len(self._recent)
        if free <= self._owed_by(feed):
            return _later(self._recent[0][0] + MINUTE + MARGIN - now, "others that have had less wait")
        return None

    def _owed_by(self, feed: str) -> int:
        """What those that were refused of late lack to have had as much as this feed."""
        mine = self._by_feed[feed]
        return sum(max(0, mine - self._by_feed[other]) for other in self._waiting)

    def _take(self, feed: str, now: datetime) -> None:
        self._recent.append((now, feed))
        self._by_feed[feed] += 1
        minute = minute_of(now)
        self._minutes[minute] = self._minutes.get(minute, 0) + 1

    def _at(self, now: datetime) -> datetime:
        """Forget what has left the windows; a clock that was set back stands still until then."""
        now = self._latest = max(now, self._latest)
        while self._recent and self._recent[0][0] + MINUTE + MARGIN <= now:
            _, feed = self._recent.popleft()
            self._by_feed[feed] -= 1
        gone = [minute for minute in self._minutes if minute + MINUTE + DAY + MARGIN <= now]
        for minute in gone:
            del self._minutes[minute]
        for feed in [feed for feed, until in self._waiting.items() if until <= now]:
            del self._waiting[feed]
        return now

    def _restore(self, spent: Mapping[datetime, int], now: datetime) -> None:
        """Count what a process before us spent, each request at the last moment it may have left."""
        for minute, count in sorted(spent.items()):
            if minute + MINUTE + DAY + MARGIN <= now or count < 1:
                continue
            self._minutes[minute] = count
            left_at = min(now, minute + MINUTE)
            if left_at + MINUTE + MARGIN > now:
                self._recent.extend([(left_at, "")] * min(count, self.limits.per_minute - len(self._recent)))


def minute_of(moment: datetime) -> datetime:
    """The minute in which a moment lies: what the ledger counts by."""
    return moment.replace(second=0, microsecond=0)


def _later(wait: timedelta, reason: str) -> Turn:
    return Turn(allowed=False, wait_s=max(0.0, wait.total_seconds()), reason=reason)
