"""A shift: bounded work of one kind that at most one worker does at a time, step by step under a lease.

What can lose money here: two workers that both believe it is their shift. The lease is the authority: it is
taken before the first step, renewed while waiting and before every step, and a worker that cannot renew it
stops at once. A worker that was paused and wakes after its successor cannot know; what it sends carries its
fencing number, lower than its successor's, and is refused where it arrives. Termination comes as a
BaseException: the lease is given back in `finally`; after a kill it runs out. Keep out: what a step does.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.errors import LiveStateUnavailableError, TransientError
from trading.ports.clock import Clock
from trading.ports.live_state import Lease, LiveState

STEPS_MAX = 1_000_000  # of one shift; its deadline comes long before
RENEWALS_PER_TTL = 3  # a lease is renewed this often within its life


class ShiftTakenError(TransientError):
    """Another worker has the shift."""


class ShiftLostError(TransientError):
    """The lease ran out or was taken: this worker must stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPlan:
    """Which shift, whose, until when, and how often it steps."""

    component: str
    shard: str
    owner: str
    deadline: datetime
    every: timedelta
    ttl_s: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftReport:
    """What a shift did that ended at its deadline."""

    fencing: int
    steps: int


class Watch(ABC):
    """What a step gets: the lease that it works under, and a way to wait that keeps it."""

    lease: Lease

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Let time pass and keep the lease; raises ShiftLostError when it is lost."""


@dataclass(slots=True, kw_only=True)
class _LeasedWatch(Watch):
    plan: ShiftPlan
    live_state: LiveState
    pause: Callable[[float], None]
    lease: Lease

    def wait(self, seconds: float) -> None:
        """Sleep in slices, each shorter than the lease lives."""
        slice_s = self.plan.ttl_s / RENEWALS_PER_TTL
        while seconds > 0:
            self.pause(min(seconds, slice_s))
            seconds -= slice_s
            self.renew()

    def renew(self) -> None:
        """Keep the lease, or stop."""
        if not self.live_state.renew_lease(self.lease, self.plan.ttl_s):
            raise ShiftLostError(f"lease {self.plan.component}:{self.plan.shard}: lost")


def run_shift(
    plan: ShiftPlan,
    live_state: LiveState,
    clock: Clock,
    pause: Callable[[float], None],
    step: Callable[[Watch], None],
) -> ShiftReport:
    """Step until the deadline. Raises ShiftTakenError before the first step, ShiftLostError in the middle."""
    lease = live_state.acquire_lease(plan.component, plan.shard, plan.owner, plan.ttl_s)
    if lease is None:
        raise ShiftTakenError(f"lease {plan.component}:{plan.shard}: another worker has it")
    watch = _LeasedWatch(plan=plan, live_state=live_state, pause=pause, lease=lease)
    steps = 0
    try:
        while clock.now() < plan.deadline and steps < STEPS_MAX:
            began = clock.now()
            watch.renew()
            step(watch)
            steps += 1
            left = min(began + plan.every, plan.deadline) - clock.now()
            watch.wait(max(left.total_seconds(), 0))
    finally:
        _give_back(live_state, lease)
    return ShiftReport(fencing=lease.fencing, steps=steps)


def _give_back(live_state: LiveState, lease: Lease) -> None:
    try:
        live_state.release_lease(lease)
    except LiveStateUnavailableError:
        return  # it runs out by itself
