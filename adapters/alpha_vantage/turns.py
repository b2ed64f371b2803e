"""Turns of questions about past sessions: within the plan of the key, beside the live polling.

What would cost money: history that eats the budget of the live market. So each request is counted in the
ledger that the live polling counts in, before it leaves; in regular hours history is a slow guest (the live
plan leaves five of a hundred requests of a minute), outside of them, when nobody polls, it takes half of the
plan; and of a daily cap it takes no more in any day than the live session leaves, whatever the hour.
A refusal that says "too often" is waited out a few times; every other one is the caller's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from trading.calendar import is_rth
from trading.errors import TransientError
from trading.feeds.limiter import DAY, MINUTE, RateLimits, RequestLimiter
from trading.ports.request_ledger import RequestLedger
from trading.ports.vendor_source import RefusalKind, VendorRefusedError

FEED = "history"
USED_IN_HOURS, USED_OUTSIDE = 0.05, 0.5  # of the minute's requests
PAUSE_LEAST_S = 1.25  # a vendor that allows few in a second is never asked in a burst
WAIT_MAX_S = 120.0  # longer is for another day
ASKS_MAX = 10  # for one turn
TOO_OFTEN_MAX = 3  # refusals of one question that are waited out
TOO_OFTEN_PAUSE_S = 61.0

Answer = TypeVar("Answer")


class VendorBusyError(TransientError):
    """The plan has no turn for history now; another time it has."""


@dataclass(slots=True, kw_only=True)
class HistoryTurns:
    """One key's; `day_share` requests in any day are history's own (0: as many as the plan has)."""

    vendor: str
    ledger: RequestLedger
    limits: RateLimits
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    day_share: int = 0
    _asked_at: datetime | None = field(default=None, init=False)

    @property
    def own_name(self) -> str:
        """Under which the ledger counts history's part of all requests."""
        return f"{self.vendor}_history"

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Ask in a turn. Raises VendorBusyError, LiveStateUnavailableError, and what the question raises."""
        for _ in range(TOO_OFTEN_MAX):
            self._wait_for_turn()
            try:
                return question()
            except VendorRefusedError as error:
                if error.kind is not RefusalKind.RATE:
                    raise
            self.sleep(TOO_OFTEN_PAUSE_S)
        self._wait_for_turn()
        return question()

    def _wait_for_turn(self) -> None:
        """Count one request, after as long a wait as the plan asks for."""
        self._pause()
        for _ in range(ASKS_MAX):
            now = self.now()
            self._check_share(now)
            spent = self.ledger.spent(self.vendor, now - DAY - MINUTE)
            # The ledger counts by minutes, so it cannot say what left in this second; the pause keeps that.
            turn = RequestLimiter(replace(self.limits, per_second=0), spent, now).ask(FEED, now)
            if turn.allowed:
                self.ledger.spend(self.vendor, now)
                self.ledger.spend(self.own_name, now)
                self._asked_at = now
                return
            if turn.wait_s > WAIT_MAX_S:
                raise VendorBusyError(f"{self.own_name}: {turn.reason}; again in {turn.wait_s:.0f} s")
            self.sleep(turn.wait_s)
        raise VendorBusyError(f"{self.own_name}: no turn in {ASKS_MAX} asks")

    def _pause(self) -> None:
        if self._asked_at is None:
            return
        now = self.now()
        used = USED_IN_HOURS if is_rth(now) else USED_OUTSIDE
        pause = max(PAUSE_LEAST_S, 60.0 / max(1.0, self.limits.per_minute * used))
        left = pause - (now - self._asked_at).total_seconds()
        if left > 0:
            self.sleep(left)

    def _check_share(self, now: datetime) -> None:
        if not self.day_share:
            return
        spent = sum(self.ledger.spent(self.own_name, now - DAY + timedelta(microseconds=1)).values())
        if spent >= self.day_share:
            raise VendorBusyError(
                f"{self.own_name}: what the live plan leaves of a day's requests is spent ({self.day_share})"
            )
