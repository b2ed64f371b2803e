"""The broker's clock, and the day that its executions are of."""

from datetime import UTC, datetime, timedelta

from adapters.ibkr.session.broker_clock import BrokerClock

HEARD = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def read(broker_at: datetime, speed: int = 1, *, is_simulated: bool = True) -> BrokerClock:
    """A clock that was read once."""
    clock = BrokerClock(speed, is_simulated=is_simulated)
    clock.read(broker_at, HEARD)
    return clock


def test_the_clock_goes_on_at_its_own_pace() -> None:
    """At sixty-fold speed a second of ours is a minute of the broker's."""
    clock = read(datetime(2026, 11, 13, 15, 0, tzinfo=UTC), speed=60)
    assert clock.at(HEARD + timedelta(seconds=2)) == datetime(2026, 11, 13, 15, 2, tzinfo=UTC)


def test_the_day_begins_at_midnight_in_new_york_also_when_clocks_change() -> None:
    """On the Sunday on which summer time ends the day is 25 hours long."""
    clock = read(datetime(2026, 11, 1, 12, 0, tzinfo=UTC))
    assert clock.day_start(HEARD) == datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    assert clock.until_midnight(HEARD) == timedelta(hours=17)


def test_a_real_clock_is_compared_with_ours() -> None:
    """The skew is how far the broker is ahead of this machine."""
    clock = BrokerClock(1, is_simulated=False)
    assert clock.read(HEARD + timedelta(seconds=7), HEARD) == timedelta(seconds=7)


def test_of_a_simulated_clock_only_the_pace_is_judged() -> None:
    """Another day is no skew; a jump within it is."""
    clock = BrokerClock(10, is_simulated=True)
    start = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)
    assert clock.read(start, HEARD) == timedelta()
    assert clock.read(start + timedelta(seconds=20), HEARD + timedelta(seconds=2)) == timedelta()
    assert clock.read(start + timedelta(seconds=90), HEARD + timedelta(seconds=3)) == timedelta(seconds=60)


def test_nothing_is_claimed_of_a_clock_that_was_not_read() -> None:
    """No reading, no day."""
    clock = BrokerClock(1, is_simulated=False)
    assert clock.at(HEARD) is None
    assert clock.day_start(HEARD) is None
    assert clock.until_midnight(HEARD) is None
