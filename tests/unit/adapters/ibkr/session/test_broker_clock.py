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


def test_of_a_simulated_clock_only_the_way_between_readings_is_judged() -> None:
    """Another day is no skew; a jump is, once; standing still at the end of the world is none."""
    clock = BrokerClock(10, is_simulated=True)
    at = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert clock.read(at, HEARD) == timedelta()
    assert clock.read(at + 20 * second, HEARD + 2 * second) == timedelta()
    assert clock.read(at + 90 * second, HEARD + 3 * second) == 60 * second
    assert clock.read(at + 100 * second, HEARD + 4 * second) == timedelta()
    assert clock.read(at + 100 * second, HEARD + 60 * second) == timedelta()


def test_a_simulated_night_that_is_skipped_is_no_skew() -> None:
    """From a Friday's evening to Monday's opening; an hour ahead is one."""
    for ahead, told in ((timedelta(hours=64), timedelta()), (timedelta(hours=1), timedelta(hours=1))):
        at = datetime(2026, 11, 13, 21, 30, tzinfo=UTC)
        assert read(at).read(at + ahead, HEARD) == told
        assert BrokerClock(1, is_simulated=False).read(HEARD + ahead, HEARD) == ahead


def test_nothing_is_claimed_of_a_clock_that_was_not_read() -> None:
    """No reading, no day."""
    clock = BrokerClock(1, is_simulated=False)
    assert clock.at(HEARD) is None
    assert clock.day_start(HEARD) is None
    assert clock.until_midnight(HEARD) is None
