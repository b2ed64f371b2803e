"""Rules of the broker about what may be asked how often, beside the number of messages a second.

Bars of five seconds count as historical requests: 60 in ten minutes, fewer than 6 for one contract in two
seconds. Minutes of the past are not counted with them (the broker relaxed that for bars of a minute or more);
they are held to the same figures, apart from the others, so that no hole that is refilled delays a line. Tick
by tick: one request for one instrument in 15 seconds. Time is an argument, in our seconds; a simulated broker
counts by its own clock, so the windows shrink with its speed.
"""

from collections import deque
from datetime import datetime, timedelta

HISTORY_MAX, HISTORY_WINDOW_S = 58, 600.0  # of 60: two are left to whoever asks beside us
CONTRACT_MAX, CONTRACT_WINDOW_S = 5, 2.0
TICKS_WINDOW_S = 15.0
KEYS_MAX = 10_000

Key = tuple[str, int]  # the rule, and the contract that it is counted for


class RollingWindow:
    """At most so many in any window of a length."""

    def __init__(self, most: int, window: timedelta) -> None:
        self._most = most
        self._window = window
        self._times: deque[datetime] = deque()

    def free_at(self, now: datetime) -> datetime:
        """When one more is allowed."""
        while self._times and self._times[0] <= now - self._window:
            self._times.popleft()
        return now if len(self._times) < self._most else self._times[0] + self._window

    def take(self, now: datetime) -> None:
        """Count one."""
        self._times.append(now)


class RequestPacing:
    """The rules of one connection; a new connection does not make the broker forget, so neither do we."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._history = RollingWindow(HISTORY_MAX, self._ours(HISTORY_WINDOW_S))
        self._refills = RollingWindow(HISTORY_MAX, self._ours(HISTORY_WINDOW_S))
        self._of: dict[Key, RollingWindow] = {}

    def history_free_at(self, conid: int, now: datetime) -> datetime:
        """When bars of a contract may be asked for."""
        return max(self._history.free_at(now), self._free_at(("history", conid), now))

    def take_history(self, conid: int, now: datetime) -> None:
        """Count a request for bars."""
        self._history.take(now)
        self._bars_of(conid).take(now)

    def refill_free_at(self, conid: int, now: datetime) -> datetime:
        """When minutes of a contract's past may be asked for."""
        return max(self._refills.free_at(now), self._free_at(("history", conid), now))

    def take_refill(self, conid: int, now: datetime) -> None:
        """Count a request for minutes of the past."""
        self._refills.take(now)
        self._bars_of(conid).take(now)

    def ticks_free_at(self, conid: int, now: datetime) -> datetime:
        """When tick-by-tick of an instrument may be asked for."""
        return self._free_at(("ticks", conid), now)

    def take_ticks(self, conid: int, now: datetime) -> None:
        """Count a request for tick-by-tick."""
        self._window("ticks", conid, 1, TICKS_WINDOW_S).take(now)

    def _free_at(self, key: Key, now: datetime) -> datetime:
        """Of what was never asked for: now. A mere question takes no other's place in the memory."""
        window = self._of.get(key)
        return now if window is None else window.free_at(now)

    def _bars_of(self, conid: int) -> RollingWindow:
        return self._window("history", conid, CONTRACT_MAX, CONTRACT_WINDOW_S)

    def _window(self, rule: str, conid: int, most: int, window_s: float) -> RollingWindow:
        key = (rule, conid)
        if key not in self._of:
            if len(self._of) >= KEYS_MAX:
                del self._of[next(iter(self._of))]
            self._of[key] = RollingWindow(most, self._ours(window_s))
        return self._of[key]

    def _ours(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds) / self._speed
