"""The limits a real gateway enforces: messages a second, and requests for history.

Messages are counted by the wall, since clients throttle themselves by the wall; history by the gateway's own
clock. Numbers are those of the API's documentation.

When a message is read is not when it was sent: while the gateway was busy (or its process did not run) what a
client sent in time waits, and then all of it is read at once. So each message counts as sent at the earliest
moment that keeps the limit, and it is one too many when even that moment is yet to come. What the gateway
did not read for a second and a half may be a second and a half's worth; a burst it was awake for may not.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

VIOLATIONS_MAX = 3  # then the connection is closed
WINDOW_S = 1.0
BEAT_S = 0.05
HISTORY_REQUESTS_MAX = 60
HISTORY_WINDOW = timedelta(minutes=10)
SAME_REQUEST_PAUSE = timedelta(seconds=15)
SAME_CONTRACT_MAX = 6
SAME_CONTRACT_WINDOW = timedelta(seconds=2)
RELAXED_BAR_S = 60  # bars of a minute or more are not paced


@dataclass(slots=True)
class Attention:
    """Since when the gateway may not have looked at its sockets, from a beat of the loop that reads them.

    What is read now was not there at the beat before the last one, or it would have been read between them.
    """

    _last: float | None = None
    _before: float | None = None

    def beat(self, at_s: float) -> None:
        """The loop has come round."""
        self._before, self._last = at_s if self._last is None else self._last, at_s

    def waited_since(self, at_s: float) -> float:
        """The earliest moment at which what is read now may have been sent."""
        return at_s if self._before is None else min(self._before, at_s)


@dataclass(slots=True)
class MessageRate:
    """How many messages one client sent in a second, and how often it sent too many."""

    limit: int
    violations: int = 0
    _times: deque[float] = field(default_factory=deque)

    def count(self, at_s: float, since_s: float | None = None) -> int:
        """Note one message, read now and sent at `since_s` or later; the number when too many, else 0."""
        earliest = at_s if since_s is None else since_s
        if self._times:
            earliest = max(earliest, self._times[-1])
        if len(self._times) >= self.limit:
            earliest = max(earliest, self._times[0] + WINDOW_S)
        if earliest <= at_s:
            self._times.append(earliest)
            if len(self._times) > self.limit:
                self._times.popleft()
            return 0
        self._times.clear()
        self.violations += 1
        return self.limit + 1


@dataclass(slots=True)
class HistoryPacing:
    """The three rules for small bars and ticks of the past."""

    _all: deque[datetime] = field(default_factory=deque)
    _same: dict[Hashable, datetime] = field(default_factory=dict)
    _by_contract: dict[int, deque[datetime]] = field(default_factory=dict)

    def refuses(self, request: Hashable, conid: int, now: datetime, weight: int = 1) -> str:
        """Why a request breaks the rules; empty when it does not, and then it counts."""
        self._forget(now)
        contract = self._by_contract.setdefault(conid, deque())
        if len(self._all) + weight > HISTORY_REQUESTS_MAX:
            return f"more than {HISTORY_REQUESTS_MAX} requests in 10 minutes"
        if request in self._same:
            return "an identical request within 15 seconds"
        if len(contract) + weight >= SAME_CONTRACT_MAX:
            return f"{SAME_CONTRACT_MAX} or more requests for one contract within 2 seconds"
        self._all.extend([now] * weight)
        contract.extend([now] * weight)
        self._same[request] = now
        return ""

    def _forget(self, now: datetime) -> None:
        _drop(self._all, now - HISTORY_WINDOW)
        self._same = {key: at for key, at in self._same.items() if now - at < SAME_REQUEST_PAUSE}
        for times in self._by_contract.values():
            _drop(times, now - SAME_CONTRACT_WINDOW)
        self._by_contract = {conid: times for conid, times in self._by_contract.items() if times}


def _drop(times: deque[datetime], before: datetime) -> None:
    while times and times[0] <= before:
        times.popleft()
