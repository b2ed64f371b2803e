"""The simulated clock: it runs at a speed, stands, jumps, and never runs back."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from simulation.market.clock import SimulatedClock

START = datetime(2026, 11, 13, 14, 29, tzinfo=UTC)


class Wall:
    """A wall whose seconds the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def wall() -> Wall:
    """A wall that stands."""
    return Wall()


def test_time_runs_at_its_speed(wall: Wall) -> None:
    """Ten seconds of the wall are ten minutes at speed sixty, also after a change of speed."""
    clock = SimulatedClock(START, 60, wall)
    wall.seconds += 10
    assert clock.now() == START + timedelta(minutes=10)
    clock.set_speed(1)
    wall.seconds += 10
    assert clock.now() == START + timedelta(minutes=10, seconds=10)
    assert clock.wait_s(clock.now() + timedelta(seconds=5)) == pytest.approx(5)


def test_a_frozen_clock_stands_and_goes_on_from_there(wall: Wall) -> None:
    """What passes meanwhile is not made up for."""
    clock = SimulatedClock(START, 60, wall)
    clock.freeze()
    wall.seconds += 100
    assert clock.now() == START
    clock.thaw()
    wall.seconds += 1
    assert clock.now() == START + timedelta(minutes=1)


def test_a_clock_that_is_frozen_late_stands_where_it_should(wall: Wall) -> None:
    """A busy machine notices a minute late: the clock stands at the moment, and never at a later one."""
    clock = SimulatedClock(START, 60, wall)
    wall.seconds += 2
    clock.freeze(START + timedelta(minutes=1))
    assert clock.is_frozen and clock.now() == START + timedelta(minutes=1)
    clock.thaw()
    clock.freeze(START + timedelta(hours=1))
    assert clock.now() == START + timedelta(minutes=1)


def test_thawing_a_clock_that_runs_does_not_take_it_back(wall: Wall) -> None:
    """All switches are turned off together, also the one that was never on."""
    clock = SimulatedClock(START, 60, wall)
    wall.seconds += 10
    clock.thaw()
    assert clock.now() == START + timedelta(minutes=10)


def test_a_clock_without_speed_moves_only_by_hand(wall: Wall) -> None:
    """It jumps ahead and refuses to go back."""
    clock = SimulatedClock(START, None, wall)
    wall.seconds += 1_000
    assert clock.now() == START and clock.is_manual
    assert clock.advance(timedelta(hours=1)) == START + timedelta(hours=1)
    with pytest.raises(ValueError, match="to: expected"):
        clock.jump(START)


def test_skew_changes_what_is_told_and_nothing_else(wall: Wall) -> None:
    """The world's own time stays."""
    clock = SimulatedClock(START, None, wall)
    clock.skew = timedelta(seconds=45)
    assert clock.told() - clock.now() == timedelta(seconds=45) and clock.now() == START


def test_sleeping_jumps_where_nothing_runs_and_waits_where_it_does(wall: Wall) -> None:
    """A hand-moved clock goes to the moment at once; a running one when the wall has come there."""
    moment = START + timedelta(minutes=5)
    still = SimulatedClock(START, None, wall)
    assert asyncio.run(still.sleep_until(moment)) == moment
    running = SimulatedClock(START, 1_000_000)
    assert asyncio.run(running.sleep_until(moment)) >= moment
    assert asyncio.run(running.tick(timedelta(seconds=1))) > moment


@pytest.mark.parametrize("speed", [0, -1])
def test_a_speed_is_more_than_nothing(speed: float, wall: Wall) -> None:
    """The error names it."""
    with pytest.raises(ValueError, match="speed: expected more than 0"):
        SimulatedClock(START, speed, wall)
    with pytest.raises(ValueError, match="speed: expected more than 0"):
        SimulatedClock(START, 1, wall).set_speed(speed)


def test_a_naive_start_is_refused(wall: Wall) -> None:
    """A moment without a zone is none."""
    with pytest.raises(ValueError, match="start: expected an aware moment"):
        SimulatedClock(datetime(2026, 11, 13, 14, 29), 1, wall)
