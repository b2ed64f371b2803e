"""A shift: one worker, a lease that is kept and given back whatever ends it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from shift_samples import NOON, WaitedClock

from adapters.memory.live_state import MemoryLiveState
from trading.errors import LiveStateUnavailableError
from trading.ports.live_state import Lease
from trading.services.run_shift import (
    RENEWALS_PER_TTL,
    ShiftLostError,
    ShiftPlan,
    ShiftReport,
    ShiftTakenError,
    Watch,
    run_shift,
)

PLAN = ShiftPlan(
    component="coverage", shard="ibkr", owner="run-1", deadline=NOON + timedelta(minutes=5),
    every=timedelta(seconds=60),
)  # fmt: skip


class Terminated(BaseException):
    """As Dagster ends a run."""


def _run(
    live_state: MemoryLiveState, step: Callable[[Watch], None], clock: WaitedClock | None = None
) -> ShiftReport:
    clock = clock or WaitedClock()
    return run_shift(PLAN, live_state, clock, clock.pause, step)


def _is_free(live_state: MemoryLiveState) -> bool:
    return live_state.acquire_lease("coverage", "ibkr", "run-2", 12) is not None


def test_a_shift_steps_until_its_deadline_and_gives_the_lease_back() -> None:
    """Five minutes, a step a minute; the next worker can begin at once with a higher number."""
    live_state, seen = MemoryLiveState(), []
    report = _run(live_state, lambda watch: seen.append(watch.lease.fencing))
    assert report == ShiftReport(fencing=seen[0], steps=5)
    after = live_state.acquire_lease("coverage", "ibkr", "run-2", 12)
    assert after is not None
    assert after.fencing > seen[0]


def test_the_lease_is_renewed_while_waiting() -> None:
    """No wait is as long as the lease lives, be the steps minutes apart."""
    clock = WaitedClock()
    _run(MemoryLiveState(), lambda watch: None, clock)
    assert max(clock.waits) <= PLAN.ttl_s / RENEWALS_PER_TTL
    assert sum(clock.waits) == pytest.approx(300)


def test_a_step_that_took_its_time_is_not_waited_for_again() -> None:
    """Steps begin a minute apart; one that takes ninety seconds is followed at once."""
    clock = WaitedClock()
    began = []

    def slow(watch: Watch) -> None:
        began.append((clock.now() - NOON).total_seconds())
        watch.wait(90 if len(began) == 1 else 0)

    _run(MemoryLiveState(), slow, clock)
    assert began == [0, 90, 150, 210, 270]


def test_two_workers_never_have_one_shift() -> None:
    """The second finds the lease taken and does nothing."""
    live_state = MemoryLiveState()
    live_state.acquire_lease("coverage", "ibkr", "run-0", 12)
    with pytest.raises(ShiftTakenError):
        _run(live_state, lambda watch: pytest.fail("a step without a lease"))


def test_a_worker_that_lost_its_lease_stops_at_once() -> None:
    """A flushed Redis, or a pause longer than the lease: no further step, and the successor keeps his."""
    live_state, steps = MemoryLiveState(), []

    def lose(watch: Watch) -> None:
        steps.append(watch)
        live_state.flush()
        live_state.acquire_lease("coverage", "ibkr", "run-2", 12)

    with pytest.raises(ShiftLostError):
        _run(live_state, lose)
    assert len(steps) == 1
    assert live_state.acquire_lease("coverage", "ibkr", "run-3", 12) is None


@pytest.mark.parametrize("end", [Terminated, ValueError, KeyboardInterrupt])
def test_the_lease_is_given_back_whatever_ends_the_shift(end: type[BaseException]) -> None:
    """Termination is no Exception; the lease is free at once all the same."""
    live_state = MemoryLiveState()

    def ends(watch: Watch) -> None:
        raise end

    with pytest.raises(end):
        _run(live_state, ends)
    assert _is_free(live_state)


def test_what_ended_a_shift_is_told_although_the_lease_cannot_be_given_back() -> None:
    """A live state that is down at the end hides nothing; the lease runs out by itself."""

    class Down(MemoryLiveState):
        def release_lease(self, lease: Lease) -> None:
            raise LiveStateUnavailableError("down")

    def ends(watch: Watch) -> None:
        raise Terminated

    with pytest.raises(Terminated):
        _run(Down(), ends)
