"""Changes of the index: over exactly the window, within one source and one session, never across a gap."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from volatility_samples import IBKR, at, new_york

from trading.volatility import series as series_module
from trading.volatility.observation import Observation
from trading.volatility.series import FIVE_MINUTES, KEPT_FOR, LATE_MAX, ONE_HOUR, SourceSeries


def series(*observations: Observation) -> SourceSeries:
    """A source that told these."""
    made = SourceSeries()
    for each in observations:
        made.add(each)
    return made


def test_the_value_exactly_five_minutes_before_counts():
    """Ten o'clock's value is the one that five past ten is compared with."""
    told = series(at("09:59:59", "90"), at("10:00", "20"), at("10:00:01", "50"), at("10:05", "26.1"))
    assert told.change(FIVE_MINUTES) == Decimal("6.1")


@pytest.mark.parametrize(("before", "known"), [("09:58:30", True), ("09:58:29", False)])
def test_no_change_across_a_gap(before, known):
    """A value that was too old at the window's beginning already is no beginning."""
    told = series(at(before, "20"), at("10:05", "26"))
    assert (told.change(FIVE_MINUTES) is not None) is known


def test_a_gap_inside_the_window_does_no_harm():
    """Both ends are known, so a rise of six in five minutes is one, whatever was heard in between."""
    told = series(at("10:00", "20"), at("10:05", "26"))
    assert told.change(FIVE_MINUTES) == 6


@pytest.mark.parametrize(("before", "known"), [("09:55", True), ("09:54:59", False)])
def test_an_hour_may_begin_five_minutes_earlier(before, known):
    """The hour's beginning is known less exactly, and that is bounded too."""
    told = series(at(before, "20"), at("11:00", "22"))
    assert (told.change(ONE_HOUR) is not None) is known


def test_no_change_reaches_before_the_opening():
    """A quote from before the bell is of another day's trading."""
    told = series(at("09:29:30", "20"), at("09:34:45", "30"))
    assert told.change(FIVE_MINUTES) is None
    told.add(at("09:30", "21"))
    told.add(at("09:35", "30"))
    assert told.change(FIVE_MINUTES) == 9


def test_the_first_hour_has_no_change_of_an_hour_from_yesterday():
    """The last value of the session before is no beginning of today's hour."""
    told = series(at("16:00", "20", day=date(2026, 11, 19)), at("09:31", "30"))
    assert told.change(ONE_HOUR) is None
    assert told.change(FIVE_MINUTES) is None


def test_changes_are_of_the_sessions_clock_when_the_clocks_change():
    """On the Monday after daylight saving ended the opening is an hour later in UTC, and so is all else."""
    monday = date(2026, 11, 2)
    told = series(at("09:30", "20", day=monday), at("09:35", "23", day=monday))
    assert told.change(FIVE_MINUTES) == 3


def test_a_late_value_is_put_in_its_place():
    """A value that arrives after a newer one is no news, but is a beginning."""
    told = series(at("10:05", "26"), at("10:00", "20"))
    assert told.newest == (new_york("10:05"), Decimal(26))
    assert told.change(FIVE_MINUTES) == 6


def test_a_source_that_floods_is_kept_to_its_bound(monkeypatch):
    """The newest values stay, so the changes of now are known."""
    monkeypatch.setattr(series_module, "VALUES_MAX", 3)
    told = series(*(at(f"10:00:0{second}", f"{15 + second}") for second in range(6)))
    assert told.newest == (new_york("10:00:05"), Decimal(20))
    assert len(told._values) == 3


def test_a_second_value_of_a_moment_corrects_the_first():
    """The source thought again."""
    assert series(at("10:00", "20"), at("10:00", "21")).newest == (new_york("10:00"), Decimal(21))


@given(st.lists(st.tuples(st.integers(0, 8_000), st.integers(1, 90)), min_size=1, max_size=80))
def test_a_change_is_always_between_two_told_values(told):
    """Whatever the order: it ends with the newest and begins with one told within the bounds."""
    made, start, values = SourceSeries(), new_york("10:00"), {}
    for seconds, value in told:
        made.add(Observation(at=start + timedelta(seconds=seconds), value=Decimal(value), source=IBKR))
        values[seconds] = value
    newest = max(values)
    for window in (FIVE_MINUTES, ONE_HOUR):
        wanted = newest - window.total_seconds()
        known = [each for each in values if wanted - LATE_MAX[window].total_seconds() <= each <= wanted]
        expected = values[newest] - values[max(known)] if known else None
        assert made.change(window) == expected
    assert made._values[0][0] > start + timedelta(seconds=newest) - KEPT_FOR
