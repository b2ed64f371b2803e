"""Which minutes of a session are known whole, and where the holes between them are.

A hole is over when a whole minute stands behind it, or the session has ended: before that nobody knows how
long it gets, and history would be asked for it twice. Keep out: asking history, and what a minute is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
KNOWN, UNKNOWN = 1, 0


@dataclass(frozen=True, slots=True, order=True)
class MinuteHole:
    """Minutes that are missing: from the first one's beginning to the last one's end."""

    since: datetime
    until: datetime

    @property
    def minutes(self) -> int:
        """How many."""
        return (self.until - self.since) // MINUTE


class MinuteHoles:
    """One instrument's minutes of one session."""

    def __init__(self) -> None:
        self._opens_at: datetime | None = None
        self._minutes = bytearray()
        self._first = 0  # every minute before it is known

    def begin_session(self, opens_at: datetime, closes_at: datetime) -> None:
        """Nothing is known of this session."""
        self._opens_at = opens_at
        self._minutes = bytearray((closes_at - opens_at) // MINUTE)
        self._first = 0

    def fill(self, minutes: Iterable[datetime]) -> None:
        """These minutes are known whole, or nothing more will be known of them."""
        for minute in minutes:
            place = self._place(minute)
            if 0 <= place < len(self._minutes):
                self._minutes[place] = KNOWN

    def is_filled(self, minute: datetime) -> bool:
        """Whether this one is known whole."""
        place = self._place(minute)
        return 0 <= place < len(self._minutes) and self._minutes[place] == KNOWN

    def holes(self, until: datetime) -> list[MinuteHole]:
        """The holes that are over and began before a moment, in their order."""
        opens_at, minutes = self._opens_at, self._minutes
        if opens_at is None:
            return []
        end = max(0, min(len(minutes), self._place(until)))
        begins = self._next(UNKNOWN, self._first, end)
        self._first = begins
        found = []
        while begins < end:
            stops = self._next(KNOWN, begins, len(minutes))
            if stops == len(minutes) and end < len(minutes):
                break  # it may still grow
            found.append(MinuteHole(opens_at + begins * MINUTE, opens_at + stops * MINUTE))
            begins = self._next(UNKNOWN, stops, end)
        return found

    def _next(self, what: int, start: int, end: int) -> int:
        place = self._minutes.find(what, start, end)
        return end if place < 0 else place

    def _place(self, moment: datetime) -> int:
        return -1 if self._opens_at is None else (moment - self._opens_at) // MINUTE
