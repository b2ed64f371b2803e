"""The market's time: the broker's clock as closely as it can be known, and never backwards.

Rows are dated with it where the venue names no time. The broker tells whole seconds, cut off, and its answer
is on its way for a while: each reading says that it is at least so late, and the latest of these floors,
carried on by our clock, is the best there is. A clock that stands or jumps back shows in a reading that is
more than a second behind; then the floor is that reading, and what is shown stands until it is reached.

Since it never goes back, one absurd reading would date every row of the session wrong. What is on no day of
the calendar is not believed, and what is days ahead only when it is said again.
"""

from datetime import datetime, timedelta

from trading.calendar import trading_session
from trading.errors import InvalidFieldError

CUT_OFF = timedelta(seconds=1)
ANSWER_TIME = timedelta(seconds=1)  # of ours: how long a reading may have been on its way
LEAP_MAX = timedelta(days=10)  # a simulated broker skips nights and long weekends


class MarketClock:
    """What the market's clock shows; `speed` is broker seconds in one of ours."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._behind_max = CUT_OFF + ANSWER_TIME * speed
        self._floor: tuple[datetime, datetime] | None = None  # broker's time, and ours when it showed it
        self._shown: datetime | None = None
        self._doubted: datetime | None = None

    def believes(self, broker_at: datetime, heard_at: datetime) -> bool:
        """Whether a reading is to be taken; one that is not may be so when it comes again."""
        carried, doubted = self._carried(heard_at), self._doubted
        self._doubted = None
        if not _is_known(broker_at):
            return False
        if carried is None or broker_at - carried <= LEAP_MAX:
            return True
        if doubted is not None and abs(broker_at - doubted) <= LEAP_MAX:
            return True
        self._doubted = broker_at
        return False

    def read(self, broker_at: datetime, heard_at: datetime) -> None:
        """Take a reading."""
        carried = self._carried(heard_at)
        if carried is None or broker_at > carried or carried - broker_at > self._behind_max:
            self._floor = (broker_at, heard_at)

    def at(self, moment: datetime) -> datetime | None:
        """What it shows at a moment of ours; None before the first reading."""
        carried = self._carried(moment)
        if carried is not None and (self._shown is None or carried > self._shown):
            self._shown = carried
        return self._shown

    def _carried(self, moment: datetime) -> datetime | None:
        if self._floor is None:
            return None
        return self._floor[0] + (moment - self._floor[1]) * self._speed


def _is_known(moment: datetime) -> bool:
    try:
        trading_session(moment)
    except InvalidFieldError:
        return False
    return True
