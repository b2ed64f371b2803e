"""The market's time from a clock that tells whole seconds."""

from datetime import UTC, datetime, timedelta

from adapters.ibkr.market.market_clock import MarketClock

OURS = datetime(2026, 1, 1, tzinfo=UTC)
MARKET = datetime(2026, 11, 13, 15, tzinfo=UTC)


def s(seconds: float) -> timedelta:
    """A duration."""
    return timedelta(seconds=seconds)


def test_before_the_first_reading_there_is_no_time() -> None:
    """A row that is dated by guess is worse than none."""
    assert MarketClock(1).at(OURS) is None


def test_readings_that_are_cut_off_come_closer_and_closer() -> None:
    """Of several floors the latest counts: it was 0.9 s after the full second at the first reading."""
    clock = MarketClock(1)
    clock.read(MARKET, OURS)
    assert clock.at(OURS) == MARKET
    clock.read(MARKET + s(6), OURS + s(5.1))
    assert clock.at(OURS + s(5.1)) == MARKET + s(6)
    clock.read(MARKET + s(10), OURS + s(10))
    assert clock.at(OURS + s(10)) == MARKET + s(10.9)


def test_a_fast_clock_is_carried_at_its_speed() -> None:
    """Sixty of its seconds in one of ours."""
    clock = MarketClock(60)
    clock.read(MARKET, OURS)
    assert clock.at(OURS + s(2)) == MARKET + s(120)


def test_a_clock_that_stands_is_not_outrun_for_long_and_time_never_runs_back() -> None:
    """What was shown stands until the clock has reached it."""
    clock = MarketClock(60)
    clock.read(MARKET, OURS)
    assert clock.at(OURS + s(10)) == MARKET + s(600)
    clock.read(MARKET + s(5), OURS + s(10))
    assert clock.at(OURS + s(10)) == MARKET + s(600)
    assert clock.at(OURS + s(11)) == MARKET + s(600)
    assert clock.at(OURS + s(20)) == MARKET + s(605)


def test_a_clock_that_jumps_ahead_is_followed_at_once() -> None:
    """A simulated night is skipped."""
    clock = MarketClock(1)
    clock.read(MARKET, OURS)
    clock.read(MARKET + timedelta(hours=17), OURS + s(1))
    assert clock.at(OURS + s(1)) == MARKET + timedelta(hours=17)


def test_an_absurd_reading_is_not_believed() -> None:
    """A day that no calendar knows never; weeks ahead when it is said again."""
    clock = MarketClock(1)
    assert not clock.believes(datetime(2038, 1, 19, tzinfo=UTC), OURS)
    assert not clock.believes(datetime(1970, 1, 1, tzinfo=UTC), OURS)
    assert clock.believes(MARKET, OURS)
    clock.read(MARKET, OURS)
    ahead = MARKET + timedelta(days=400)
    assert not clock.believes(ahead, OURS + s(1))
    assert clock.believes(MARKET + s(2), OURS + s(2))
    assert not clock.believes(ahead, OURS + s(3))
    assert clock.believes(ahead + s(1), OURS + s(4))
