"""The broker's clock as far as it is known: what it said last, and what it shows by now at the least.

The broker tells its time in whole seconds, cut off, and the answer is on its way for a while: what is
estimated from it is never ahead of the broker. Coverage ends there and not later, so nothing counts as asked
for that was not.

A simulated broker plays another day at another pace (`speed`), jumps over nights and stands still at its end;
of its clock only the way from one reading to the next can be judged, and not while it stands.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from trading.model.times import NEW_YORK

NIGHT_LEAST = timedelta(hours=8)  # a simulated broker that skips a night goes at least so far ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the broker's clock showed, and when we heard it."""

    broker_at: datetime
    heard_at: datetime


class BrokerClock:
    """The clock of one broker, read now and then."""

    def __init__(self, speed: int, *, is_simulated: bool) -> None:
        self._speed = speed
        self._is_simulated = is_simulated
        self._last: Reading | None = None

    def read(self, broker_at: datetime, heard_at: datetime) -> timedelta:
        """Take a reading; returns the skew: by how much the broker is ahead of what it should show."""
        before, self._last = self._last, Reading(broker_at=broker_at, heard_at=heard_at)
        if not self._is_simulated:
            return broker_at - heard_at
        if before is None or before.broker_at == broker_at:
            return timedelta()
        ahead = broker_at - self._carried(before, heard_at)
        return timedelta() if ahead >= NIGHT_LEAST else ahead

    def forget(self) -> None:
        """Start over: another connection may be to another clock."""
        self._last = None

    def at(self, moment: datetime) -> datetime | None:
        """What the broker's clock shows at a moment of ours, at the least; None before the first reading."""
        return None if self._last is None else self._carried(self._last, moment)

    def day_start(self, moment: datetime) -> datetime | None:
        """The last midnight in New York before what the broker shows: since when it tells executions."""
        shown = self.at(moment)
        return None if shown is None else _midnight(shown.astimezone(NEW_YORK).date())

    def until_midnight(self, moment: datetime) -> timedelta | None:
        """How long, in our time, until the broker's day in New York ends."""
        shown = self.at(moment)
        if shown is None:
            return None
        return self.ours(_midnight(shown.astimezone(NEW_YORK).date() + timedelta(days=1)) - shown)

    def ours(self, duration: timedelta) -> timedelta:
        """A duration of the broker's in our time."""
        return duration / self._speed

    def _carried(self, reading: Reading, moment: datetime) -> datetime:
        return reading.broker_at + (moment - reading.heard_at) * self._speed


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=NEW_YORK).astimezone(UTC)
