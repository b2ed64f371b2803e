"""The limits a real gateway enforces: messages a second, and requests for history.

Messages are counted by the wall, since clients throttle themselves by the wall; history by the gateway's own
clock. Numbers are those of the API's documentation.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

VIOLATIONS_MAX = 3  # then the connection is closed
WINDOW_S = 1.0
HISTORY_REQUESTS_MAX = 60
HISTORY_WINDOW = timedelta(minutes=10)
SAME_REQUEST_PAUSE = timedelta(seconds=15)
SAME_CONTRACT_MAX = 6
SAME_CONTRACT_WINDOW = timedelta(seconds=2)
RELAXED_BAR_S = 60  # bars of a minute or more are not paced


@dataclass(slots=True)
class MessageRate:
    """How many messages one client sent in the last second, and how often it sent too many."""

    limit: int
    violations: int = 0
    _times: deque[float] = field(default_factory=deque)

    def count(self, at_s: float) -> int:
        """Note one message; the number in the window when that is too many, else 0."""
        while self._times and at_s - self._times[0] >= WINDOW_S:
            self._times.popleft()
        self._times.append(at_s)
        if len(self._times) <= self.limit:
            return 0
        counted = len(self._times)
        self._times.clear()
        self.violations += 1
        return counted


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
