"""z-scores against the same minute of New York's day: earlier sessions, enough of them, by the wall clock."""

from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean, stdev

import pytest
from volatility_samples import FRIDAY, new_york

from trading.calendar import previous_session, sessions_between
from trading.volatility.same_time import SameTime, daily_minutes, minute_of_day

NOON = 12 * 60


def earlier(count: int, before: date = FRIDAY) -> list[date]:
    """So many sessions before a day, newest first."""
    found, day = [], before
    for _ in range(count):
        day = previous_session(day)
        found.append(day)
    return found


def history(values: list[int], minute: int = NOON, before: date = FRIDAY, samples_min: int = 20) -> SameTime:
    """Each earlier session with one value."""
    made = SameTime(sessions_max=60, samples_min=samples_min)
    for day, value in zip(earlier(len(values), before), values, strict=True):
        made.fill(day, {minute: Decimal(value)})
    return made


def test_the_score_is_the_distance_in_sample_deviations():
    """Mean and sample deviation over the sessions before."""
    values = list(range(10, 34))
    told = history(values).unusual(new_york("12:00"), Decimal(40))
    assert told.samples == 24
    assert told.z_score == pytest.approx((40 - fmean(values)) / stdev(values))


@pytest.mark.parametrize(("count", "known"), [(19, False), (20, True)])
def test_too_few_sessions_are_no_score(count, known):
    """Nineteen say nothing, twenty do."""
    told = history(list(range(10, 10 + count))).unusual(new_york("12:00"), Decimal(40))
    assert (told.z_score is not None) is known
    assert told.samples == count


def test_equal_samples_are_no_score():
    """Without a spread nothing is unusual by so many spreads."""
    assert history([20] * 30).unusual(new_york("12:00"), Decimal(40)).z_score is None


def test_today_is_no_sample_of_itself():
    """The session that is asked about, and later ones, do not count."""
    made = history(list(range(10, 30)))
    for value in range(100):
        made.add(new_york("12:00"), Decimal(900 - value))
    made.fill(date(2026, 11, 23), {NOON: Decimal(900)})
    assert made.unusual(new_york("12:00"), Decimal(20)).samples == 20


@pytest.mark.parametrize(("clock", "samples"), [("11:59", 0), ("12:00", 20), ("12:05", 20), ("12:06", 0)])
def test_a_sample_is_of_that_minute_or_of_five_before(clock, samples):
    """A value of noon speaks for noon and five minutes more, and never for the time before it."""
    assert history(list(range(10, 30))).unusual(new_york(clock), Decimal(20)).samples == samples


def test_the_same_time_is_new_yorks_over_the_change_of_clocks():
    """Noon before and after daylight saving ended is an hour apart in UTC and the same time of day."""
    monday = date(2026, 11, 2)
    made = SameTime(sessions_max=60, samples_min=2)
    for day in earlier(5, monday):
        made.add(new_york("12:00", day), Decimal(20))
    assert new_york("12:00", monday).utcoffset() != new_york("12:00", earlier(1, monday)[0]).utcoffset()
    assert made.unusual(new_york("12:00", monday), Decimal(20)).samples == 5
    assert made.unusual(new_york("12:00", monday) + timedelta(hours=1), Decimal(20)).samples == 0


def test_a_half_session_says_nothing_about_its_afternoon():
    """The day after Thanksgiving ends at one: it is a sample of noon, none of three o'clock."""
    half, monday = date(2026, 11, 27), date(2026, 11, 30)
    made = SameTime(sessions_max=60, samples_min=2)
    for day in (half, date(2026, 11, 25)):
        for clock in ("12:00", "15:00"):
            made.add(new_york(clock, day), Decimal(20))
    assert len(made.samples(new_york("12:00", monday))) == 2
    assert len(made.samples(new_york("15:00", monday))) == 1


def test_the_daily_history_speaks_for_the_opening_and_the_close():
    """A row of the file is a sample of 9:30 and of 16:15, on half days of 13:15."""
    assert daily_minutes(FRIDAY, Decimal(20), Decimal(21)) == {570: Decimal(20), 975: Decimal(21)}
    assert set(daily_minutes(date(2026, 11, 27), Decimal(20), Decimal(21))) == {570, 795}


def test_what_was_heard_stands_above_what_a_record_says():
    """Filling a session from a file leaves the values that were heard live."""
    made = SameTime(sessions_max=60, samples_min=2)
    day = earlier(1)[0]
    made.add(new_york("16:15", day), Decimal(30))
    made.fill(day, daily_minutes(day, Decimal(20), Decimal(21)))
    assert made.samples(new_york("16:15")) == [Decimal(30)]
    assert made.samples(new_york("09:30")) == [Decimal(20)]


def test_sessions_beyond_the_bound_are_forgotten():
    """A year of sessions leaves those that may count."""
    made = SameTime(sessions_max=5, samples_min=2)
    for day in sessions_between(date(2026, 1, 5), FRIDAY):
        made.fill(day, {NOON: Decimal(20)})
    assert len(made._sessions) == 6
    assert len(made.samples(new_york("12:00"))) == 5


def test_minutes_are_of_the_clock_on_the_wall():
    """Nine thirty is the same minute in July and in January."""
    assert minute_of_day(new_york("09:30", date(2026, 7, 1))) == minute_of_day(
        new_york("09:30", date(2026, 1, 5))
    )
