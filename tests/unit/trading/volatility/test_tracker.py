"""The index over its sources: the order, the switch in mid-session, what is too old, what is dated ahead."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from volatility_samples import DAILY, IBKR, YAHOO, at, default_limits, new_york

from trading.calendar import previous_session
from trading.errors import InvalidFieldError
from trading.model.market import Regime
from trading.volatility.observation import observed
from trading.volatility.tracker import VolatilityTracker, paced

LIMITS = default_limits()


def tracker(*observations) -> VolatilityTracker:
    """All sources as they told these, each when it told it."""
    made = VolatilityTracker(LIMITS)
    for each in observations:
        made.hear(each, each.at)
    return made


def test_nothing_heard_is_no_reading():
    """An index that nobody told has no value."""
    assert VolatilityTracker(LIMITS).reading(new_york("10:00")) is None


@pytest.mark.parametrize(("now", "source"), [("10:02:00", IBKR), ("10:02:01", YAHOO)])
def test_the_brokers_index_speaks_while_it_is_fresh(now, source):
    """Two minutes of silence and Yahoo speaks instead."""
    made = tracker(at("10:00", "20"), at("10:01", "21", YAHOO))
    assert made.reading(new_york(now)).source is source


def test_when_all_are_old_the_newest_speaks():
    """Order counts among fresh ones only."""
    made = tracker(at("10:00", "20"), at("10:03", "21", YAHOO))
    assert made.reading(new_york("10:10")).source is YAHOO


def test_a_change_of_source_is_no_change_of_the_index():
    """Yahoo says six points more than the broker did before: no shock, since Yahoo never said less."""
    made = tracker(at("10:00", "20"), at("10:02", "20"), at("10:05", "26", YAHOO))
    reading = made.reading(new_york("10:05"))
    assert (reading.source, reading.change_5m, reading.regime) == (YAHOO, None, Regime.ELEVATED)


def test_a_source_that_stood_by_knows_its_own_change():
    """The standby's own values of five minutes before make its change after the switch."""
    made = tracker(at("10:00", "19.5", YAHOO), at("10:01", "20"), at("10:05", "24.6", YAHOO))
    reading = made.reading(new_york("10:05"))
    assert (reading.source, reading.change_5m, reading.regime) == (YAHOO, Decimal("5.1"), Regime.SHOCK)


@pytest.mark.parametrize(
    ("now", "regime"),
    [("10:15:00", Regime.NORMAL), ("10:15:01", Regime.UNKNOWN), ("16:30:00", Regime.NORMAL)],
)
def test_older_than_a_quarter_of_an_hour_is_unknown_in_session(now, regime):
    """Exactly fifteen minutes are not older, and after the close nothing is."""
    assert tracker(at("10:00", "20")).reading(new_york(now)).regime is regime


def test_the_opening_is_unknown_until_something_is_heard():
    """Yesterday's value vetoes at the bell, and today's first lifts it."""
    made = tracker(at("15:59", "20", day=date(2026, 11, 19)))
    assert made.reading(new_york("09:29:59")).regime is Regime.NORMAL
    assert made.reading(new_york("09:30:00")).regime is Regime.UNKNOWN
    assert made.reading(new_york("09:29:59")).reason == "of 2026-11-19; no limit reached"
    made.hear(at("09:30:05", "20"), new_york("09:30:05"))
    assert made.reading(new_york("09:30:06")).regime is Regime.NORMAL


def test_an_early_close_ends_the_session():
    """At one o'clock of a half day an old value is no fault any more."""
    half = date(2026, 11, 27)
    made = tracker(at("12:30", "20", day=half))
    assert made.reading(new_york("12:59:59", half)).regime is Regime.UNKNOWN
    assert made.reading(new_york("13:00:00", half)).regime is Regime.NORMAL


def test_the_daily_history_is_marked_and_unknown_in_session():
    """The last resort is yesterday's close, says so, and never speaks for a day that is on."""
    made = tracker(at("16:15", "20", DAILY, day=date(2026, 11, 19)))
    reading = made.reading(new_york("10:00"))
    assert (reading.source, reading.regime) == (DAILY, Regime.UNKNOWN)
    assert reading.reason.startswith("the close of 2026-11-19; ")
    assert reading.change_5m is None
    assert made.reading(new_york("08:00")).regime is Regime.NORMAL


def test_a_value_that_is_dated_ahead_is_refused():
    """A source whose clock is an hour ahead would stay young for an hour after it stopped."""
    made = VolatilityTracker(LIMITS)
    with pytest.raises(InvalidFieldError, match="at: expected a time up to 60 s"):
        made.hear(at("11:00", "20"), new_york("10:00"))
    made.hear(at("10:01:00", "20"), new_york("10:00"))
    assert made.reading(new_york("10:00")).value == 20


def test_the_z_score_is_in_the_reading():
    """Thirty sessions around twenty make thirty unusual at that time of day."""
    made, day = VolatilityTracker(LIMITS), date(2026, 11, 20)
    for number in range(30):
        day = previous_session(day)
        made.history.add(new_york("10:00", day), Decimal(12 + number % 3))
    made.hear(at("10:00", "16"), new_york("10:00"))
    reading = made.reading(new_york("10:00:30"))
    assert reading.samples == 30
    assert reading.z_score > 1.5
    assert reading.regime is Regime.ELEVATED


@pytest.mark.parametrize("value", ["0", "-1", "1000", "NaN", "Infinity", "", "twenty", None, 20.5, True])
def test_what_is_no_value_of_an_index_is_refused(value):
    """Zero, negatives, no numbers and floats are named, never stored."""
    with pytest.raises(InvalidFieldError, match="value"):
        observed(IBKR, new_york("10:00"), value)


def test_two_runs_over_the_same_words_give_the_same_readings():
    """The tracker has no clock and no chance in it."""

    def run() -> list[object]:
        made, start = VolatilityTracker(LIMITS), new_york("09:30")
        told = []
        for step in range(300):
            moment = start + timedelta(seconds=15 * step)
            source = IBKR if step % 40 < 30 else YAHOO
            made.hear(observed(source, moment, str(15 + step % 17)), moment)
            told.append(made.reading(moment))
        return told

    assert run() == run()


def test_a_market_that_is_played_fast_forgives_this_machine_a_pause():
    """At sixty times the speed three seconds of ours are three minutes; what is too old is not moved."""
    fast = paced(LIMITS, 60)
    assert (fast.fresh_for_s, fast.clock_ahead_max_s, fast.stale_after_s) == (180, 180, 900)
    assert paced(LIMITS, 1) == LIMITS
    assert paced(LIMITS, 100_000).fresh_for_s == LIMITS.stale_after_s


words = st.lists(
    st.tuples(st.sampled_from([IBKR, YAHOO]), st.integers(1, 120), st.integers(10, 60)),
    min_size=1,
    max_size=80,
)


@given(words)
def test_whatever_the_sources_say_a_change_is_of_one_of_them(told):
    """A change is always the difference of two values of the source that speaks."""
    made, moment, heard = VolatilityTracker(LIMITS), new_york("10:00"), []
    for source, seconds, value in told:
        moment += timedelta(seconds=seconds)
        heard.append(observed(source, moment, value))
        made.hear(heard[-1], moment)
        reading = made.reading(moment)
        own = {each.value for each in heard if each.source is reading.source}
        assert reading.value in own
        for change in (reading.change_5m, reading.change_1h):
            assert change is None or reading.value - change in own
        newest = max((each.at for each in heard if each.source is IBKR), default=None)
        if newest is not None and (moment - newest).total_seconds() <= LIMITS.fresh_for_s:
            assert reading.source is IBKR
