"""When one source is asked, and how it fared: its interval, its backoff, its breaker, its counters. Pure.

Paced on both clocks: an interval is over when either of them says so (a simulated day that runs fast is
followed), but never sooner than a second of this machine. A clock that was set back makes it due.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trading.errors import DeskError
from trading.feeds.breaker import Breaker, BreakerLimits, BreakerState
from trading.feeds.poller import Moment
from trading.feeds.retry import RetryPolicy
from trading.ports.vendor_source import VendorRefusedError, VendorUnavailableError
from trading.volatility.observation import INDEX

FEED = "volatility"
PAUSE = timedelta(seconds=1)
RETRY = RetryPolicy(attempts_max=1_000, first_s=2.0, most_s=60.0)  # the breaker says when it is enough
REFUSED_REST_S = 900.0  # what was refused will be refused again


@dataclass(slots=True)
class Lane:
    """One source's schedule; one caller's thread only."""

    name: str
    limits: BreakerLimits
    breaker: Breaker = field(init=False)
    rows: int = 0
    errors: int = 0
    refused: int = 0
    last_error: str = ""
    has_answered: bool = False  # once, good or not
    _asked: Moment | None = None
    _is_pending: bool = False
    _retry_at: datetime | None = None

    def __post_init__(self) -> None:
        """Begin closed and due."""
        self.breaker = Breaker(source=self.name, feed=FEED, symbol=INDEX, limits=self.limits)

    def is_due(self, now: Moment, every_s: float) -> bool:
        """Whether to ask now; a True must be followed by `asked`."""
        if self._is_pending or not self._is_time(now, timedelta(seconds=every_s)):
            return False
        return self.breaker.allows(now.machine)

    def asked(self, now: Moment) -> None:
        """A question is on its way."""
        self._asked, self._is_pending = now, True

    def succeeded(self, now: Moment, rows: int) -> None:
        """An answer came and was good."""
        self._is_pending, self._retry_at, self.last_error = False, None, ""
        self.has_answered = True
        self.rows += rows
        self.breaker.succeeded(now.machine)

    def failed(self, now: Moment, error: DeskError, chance: float) -> None:
        """No answer, or none that counts; `chance` (0 to below 1) spreads the next attempt."""
        self._is_pending, self.has_answered = False, True
        self.errors += 1
        self.last_error = str(error)
        if isinstance(error, VendorRefusedError):
            self.breaker.trip(now.machine, str(error), REFUSED_REST_S)
        else:
            self.breaker.failed(now.machine, str(error))
        wait_s = error.wait_s if isinstance(error, VendorUnavailableError) else None
        delay_s = RETRY.delay_s(min(self.breaker.failures or 1, RETRY.attempts_max - 1), chance)
        self._retry_at = now.machine + timedelta(seconds=max(delay_s or 0.0, wait_s or 0.0))

    @property
    def is_broken(self) -> bool:
        """Whether its breaker lets nothing through, or one trial only."""
        return self.breaker.state is not BreakerState.CLOSED

    def _is_time(self, now: Moment, every: timedelta) -> bool:
        if self._asked is None:
            return True
        on_machine, on_market = now.machine - self._asked.machine, now.market - self._asked.market
        if on_machine < timedelta(0):
            return True
        if self._retry_at is not None:
            return now.machine >= self._retry_at
        return on_machine >= PAUSE and max(on_machine, on_market) >= every
