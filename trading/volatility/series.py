"""What one source told lately, and how far the index moved in it.

A change is only ever computed between two values of one source: sources differ by tenths of a point and by
their delay, and a switch from one to the other would look like a shock, or hide one. For the same reason it
is never computed against an older value than asked: where there is a gap at the window's beginning there is
no change, and where the window reaches before the opening there is none either. A gap inside the window does
no harm: both ends are known.
"""

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from trading.calendar import session_open, trading_session
from trading.volatility.observation import Observation

FIVE_MINUTES, ONE_HOUR = timedelta(minutes=5), timedelta(hours=1)
LATE_MAX = {  # how old the value at the window's beginning may have been then
    FIVE_MINUTES: timedelta(seconds=90),  # a source that stands by is asked every minute
    ONE_HOUR: timedelta(minutes=5),
}
KEPT_FOR = timedelta(minutes=75)
VALUES_MAX = 5_000


@dataclass(slots=True)
class SourceSeries:
    """The last hour and a quarter of one source, by its own time; late values are put in their place."""

    _values: list[tuple[datetime, Decimal]] = field(default_factory=list)

    @property
    def newest(self) -> tuple[datetime, Decimal] | None:
        """The latest by the source's time."""
        return self._values[-1] if self._values else None

    def add(self, observation: Observation) -> None:
        """Take a value in; a second one of the same moment is its correction."""
        place = bisect_right(self._values, observation.at, key=_moment)
        if place and self._values[place - 1][0] == observation.at:
            self._values[place - 1] = (observation.at, observation.value)
        else:
            insort(self._values, (observation.at, observation.value), key=_moment)
        self._forget()

    def change(self, window: timedelta) -> Decimal | None:
        """The newest value less that of `window` before it; None where that is not known."""
        if self.newest is None:
            return None
        at, value = self.newest
        wanted = at - window
        place = bisect_right(self._values, wanted, key=_moment)
        if not place:
            return None
        then_at, then = self._values[place - 1]
        if wanted - then_at > LATE_MAX[window] or then_at < session_open(trading_session(at)):
            return None
        return value - then

    def _forget(self) -> None:
        first = bisect_right(self._values, self._values[-1][0] - KEPT_FOR, key=_moment)
        del self._values[: max(first, len(self._values) - VALUES_MAX)]


def _moment(entry: tuple[datetime, Decimal]) -> datetime:
    return entry[0]
