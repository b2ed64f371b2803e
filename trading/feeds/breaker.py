"""Circuit breakers: what fails again and again is left alone for a while, then tried once.

    closed ──failures in a row──► open ──time──► half open ──success──► closed
                                    ▲                │
                                    └────failure─────┘

One breaker for each feed and symbol, so that a symbol which the vendor cannot answer takes nothing from the
others. Every change of state is an event with its reason. Time is an argument; one caller's thread only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from trading.errors import PermanentError

REASON_CHARS_MAX = 300
TRANSITIONS_KEPT_MAX = 1_000  # not yet taken by who writes them down


class BreakerState(StrEnum):
    """Closed lets requests through, open none, half open one that decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerEvent(StrEnum):
    """What may change the state."""

    TRIPPED = "tripped"
    RESTED = "rested"
    TRIAL_SUCCEEDED = "trial_succeeded"
    TRIAL_FAILED = "trial_failed"


TABLE: Mapping[tuple[BreakerState, BreakerEvent], BreakerState] = {
    (BreakerState.CLOSED, BreakerEvent.TRIPPED): BreakerState.OPEN,
    (BreakerState.OPEN, BreakerEvent.RESTED): BreakerState.HALF_OPEN,
    (BreakerState.HALF_OPEN, BreakerEvent.TRIAL_SUCCEEDED): BreakerState.CLOSED,
    (BreakerState.HALF_OPEN, BreakerEvent.TRIAL_FAILED): BreakerState.OPEN,
    (BreakerState.HALF_OPEN, BreakerEvent.TRIPPED): BreakerState.OPEN,
}


class BreakerTableError(PermanentError):
    """An event came in a state that does not know it: a mistake of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTransition:
    """One change of state; `failures` in a row led to it. `at` is this machine's clock."""

    source: str
    feed: str
    symbol: str
    at: datetime
    was: BreakerState
    becomes: BreakerState
    failures: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """Failures in a row until it opens, and how long it stays open."""

    failures_max: int
    open_s: float


@dataclass(slots=True, kw_only=True)
class Breaker:
    """The breaker of one feed and symbol of a source."""

    source: str
    feed: str
    symbol: str
    limits: BreakerLimits
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    reason: str = ""
    _rests_until: datetime | None = None
    _trial_until: datetime | None = None
    _changes: list[BreakerTransition] = field(default_factory=list)

    def is_shut(self, now: datetime) -> bool:
        """Whether nothing may leave now; looks only, where `allows` takes the trial."""
        until = {BreakerState.OPEN: self._rests_until, BreakerState.HALF_OPEN: self._trial_until}.get(
            self.state
        )
        return until is not None and now < until

    def allows(self, now: datetime) -> bool:
        """Whether a request may leave now. A True of a half-open breaker is its one trial."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.OPEN:
            if self._rests_until is not None and now < self._rests_until:
                return False
            self._change(BreakerEvent.RESTED, now, "has rested")
        elif self._trial_until is not None and now < self._trial_until:
            return False  # the trial is on its way; one that was lost is made again after a rest
        self._trial_until = now + timedelta(seconds=self.limits.open_s)
        return True

    def succeeded(self, now: datetime) -> None:
        """An answer was good. One that was asked for before the breaker opened does not close it."""
        if self.state is BreakerState.OPEN:
            return
        self.failures, self.reason = 0, ""
        if self.state is BreakerState.HALF_OPEN:
            self._change(BreakerEvent.TRIAL_SUCCEEDED, now, "the trial succeeded")

    def failed(self, now: datetime, reason: str) -> None:
        """An answer failed; the reason carries no secret."""
        if self.state is BreakerState.OPEN:
            return
        self.failures += 1
        self.reason = reason[:REASON_CHARS_MAX]
        if self.state is BreakerState.HALF_OPEN:
            self._open(BreakerEvent.TRIAL_FAILED, now, self.limits.open_s)
        elif self.failures >= self.limits.failures_max:
            self._open(BreakerEvent.TRIPPED, now, self.limits.open_s)

    def trip(self, now: datetime, reason: str, rest_s: float) -> None:
        """Open at once and for so long: what was refused will be refused again."""
        if self.state is BreakerState.OPEN:
            return
        self.failures += 1
        self.reason = reason[:REASON_CHARS_MAX]
        self._open(BreakerEvent.TRIPPED, now, rest_s)

    def take_changes(self) -> tuple[BreakerTransition, ...]:
        """Return the changes since the last call, and forget them."""
        taken, self._changes = tuple(self._changes), []
        return taken

    @property
    def rests_until(self) -> datetime | None:
        """When an open breaker tries again; None while it is not open."""
        return self._rests_until if self.state is BreakerState.OPEN else None

    def _open(self, event: BreakerEvent, now: datetime, rest_s: float) -> None:
        self._change(event, now, self.reason)
        self._rests_until = now + timedelta(seconds=rest_s)

    def _change(self, event: BreakerEvent, now: datetime, reason: str) -> None:
        becomes = TABLE.get((self.state, event))
        if becomes is None:
            raise BreakerTableError(f"breaker {self.feed} {self.symbol}: {event} in state {self.state}")
        if len(self._changes) < TRANSITIONS_KEPT_MAX:
            self._changes.append(
                BreakerTransition(
                    source=self.source,
                    feed=self.feed,
                    symbol=self.symbol,
                    at=now,
                    was=self.state,
                    becomes=becomes,
                    failures=self.failures,
                    reason=reason,
                )
            )
        self.state = becomes
        self._trial_until = None
