"""The index at the same time of day in earlier sessions, and how unusual a value is against it.

The one-day index has a shape of its own over the day, so a value is compared only with values of the same
minute of New York's clock, which is right over daylight saving and early closes too: a session that ended at
one o'clock has nothing to say about two o'clock. The file of daily history has the opening and the close;
they are samples of those minutes and of no other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from statistics import fmean, stdev

from trading.calendar import LATE_CLOSE, is_session, session_close, session_open, trading_session
from trading.model.times import NEW_YORK

AROUND = timedelta(minutes=10)  # of the index's hours: vendors' last values come late
LATE_MINUTES_MAX = 5  # an older session's value of five minutes before still is that time of day

Minutes = Mapping[int, Decimal]  # minute of New York's day → the first value in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """How many standard deviations a value is from those of the same time.

    None where there are too few of them, or all are equal.
    """

    z_score: float | None
    samples: int


@dataclass(slots=True)
class SameTime:
    """Values by session and minute; the last `sessions_max` sessions before the one asked about count."""

    sessions_max: int
    samples_min: int
    _sessions: dict[date, dict[int, Decimal]] = field(default_factory=dict)

    def add(self, at: datetime, value: Decimal) -> bool:
        """Note the value of a moment of the index's day; True when it is the first of its minute."""
        session = trading_session(at)
        if not session_open(session) <= at <= index_close(session):
            return False
        minutes = self._sessions.setdefault(session, {})
        minute = minute_of_day(at)
        if minute in minutes:
            return False
        minutes[minute] = value
        self._forget()
        return True

    def fill(self, session: date, minutes: Minutes) -> None:
        """Note what another record has of a session, where nothing was heard."""
        if is_session(session):
            self._sessions[session] = {**minutes, **self._sessions.get(session, {})}
            self._forget()

    def samples(self, at: datetime) -> Sequence[Decimal]:
        """The values of earlier sessions at this time of day, newest session first."""
        session, minute = trading_session(at), minute_of_day(at)
        earlier = sorted((day for day in self._sessions if day < session), reverse=True)
        found = (_at_or_before(self._sessions[day], minute) for day in earlier[: self.sessions_max])
        return [value for value in found if value is not None]

    def unusual(self, at: datetime, value: Decimal) -> Unusual:
        """Say how unusual the value is at this time of day."""
        samples = [float(sample) for sample in self.samples(at)]
        if len(samples) < max(2, self.samples_min):
            return Unusual(z_score=None, samples=len(samples))
        spread = stdev(samples)
        z_score = (float(value) - fmean(samples)) / spread if spread > 0 else math.nan
        return Unusual(z_score=z_score if math.isfinite(z_score) else None, samples=len(samples))

    def _forget(self) -> None:
        for day in sorted(self._sessions)[: -(max(self.sessions_max, 1) + 1)]:
            del self._sessions[day]


def minute_of_day(at: datetime) -> int:
    """The minute of New York's clock."""
    local = at.astimezone(NEW_YORK)
    return local.hour * 60 + local.minute


def moment_of(session: date, minute: int) -> datetime:
    """The moment at which a minute of New York's day begins."""
    return datetime.combine(session, time(minute // 60, minute % 60), NEW_YORK)


def daily_minutes(session: date, opened: Decimal, closed: Decimal) -> Minutes:
    """What the daily history knows of a session: its first minute and the minute of the index's close."""
    return {
        minute_of_day(session_open(session)): opened,
        minute_of_day(index_close(session)): closed,
    }


def index_close(session: date) -> datetime:
    """When the index's day ends: with its options, a quarter of an hour after the shares."""
    return session_close(session) + LATE_CLOSE


def is_told(at: datetime) -> bool:
    """Whether the index is told at the moment, or a few minutes before or after."""
    session = trading_session(at)
    return session_open(session) - AROUND <= at <= index_close(session) + AROUND


def _at_or_before(minutes: Minutes, minute: int) -> Decimal | None:
    asked = range(minute, max(minute - LATE_MINUTES_MAX, 0) - 1, -1)
    return next((minutes[each] for each in asked if each in minutes), None)
