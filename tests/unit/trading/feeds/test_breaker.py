"""Circuit breakers: three states, one table, every change an event."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.feeds.breaker import TABLE, Breaker, BreakerLimits, BreakerState
from trading.feeds.retry import RetryPolicy

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def breaker() -> Breaker:
    """Opens after three failures, for a minute."""
    limits = BreakerLimits(failures_max=3, open_s=60)
    return Breaker(source="alpha_vantage", feed="chains", symbol="AAPL", limits=limits)


def opened() -> Breaker:
    """One that has just opened."""
    subject = breaker()
    for _ in range(3):
        subject.failed(NOON, "status 500")
    return subject


def test_failures_in_a_row_open_it() -> None:
    """A success between them begins the count again."""
    subject = breaker()
    subject.failed(NOON, "one")
    subject.failed(NOON, "two")
    subject.succeeded(NOON)
    subject.failed(NOON, "one")
    subject.failed(NOON, "two")
    assert subject.allows(NOON)
    subject.failed(NOON, "three")
    assert not subject.allows(NOON)
    (change,) = subject.take_changes()
    assert (change.was, change.becomes, change.failures, change.reason) == ("closed", "open", 3, "three")
    assert subject.take_changes() == ()


def test_half_open_lets_one_trial_through() -> None:
    """After its rest one request decides; the others wait for it."""
    subject = opened()
    assert not subject.allows(NOON + timedelta(seconds=59))
    assert subject.allows(NOON + MINUTE)
    assert subject.state is BreakerState.HALF_OPEN
    assert not subject.allows(NOON + MINUTE)
    subject.succeeded(NOON + MINUTE)
    assert subject.state is BreakerState.CLOSED
    assert [change.becomes for change in subject.take_changes()] == ["open", "half_open", "closed"]


def test_a_failed_trial_opens_it_again_at_once() -> None:
    """One failure is enough when half open."""
    subject = opened()
    assert subject.allows(NOON + MINUTE)
    subject.failed(NOON + MINUTE, "again")
    assert subject.state is BreakerState.OPEN
    assert not subject.allows(NOON + MINUTE + timedelta(seconds=59))
    assert subject.allows(NOON + 2 * MINUTE)


def test_a_lost_trial_is_made_again() -> None:
    """A trial whose answer never came does not shut the symbol for ever."""
    subject = opened()
    assert subject.allows(NOON + MINUTE)
    assert subject.allows(NOON + 2 * MINUTE)


def test_an_answer_from_before_closes_nothing() -> None:
    """What was asked before it opened says nothing about now."""
    subject = opened()
    subject.succeeded(NOON)
    assert subject.state is BreakerState.OPEN


def test_a_refusal_that_stays_trips_it_for_as_long_as_it_is_told() -> None:
    """A premium function is not asked three times before it is believed."""
    subject = breaker()
    subject.trip(NOON, "premium", 3600)
    assert not subject.allows(NOON + timedelta(seconds=3599))
    assert subject.allows(NOON + timedelta(seconds=3600))


@given(st.lists(st.tuples(st.sampled_from("afst"), st.integers(0, 90)), max_size=60))
def test_no_sequence_leaves_the_table(events: list[tuple[str, int]]) -> None:
    """Whatever happens when, each change is one of the table, and changes follow one another."""
    subject, now, state = breaker(), NOON, BreakerState.CLOSED
    for event, seconds in events:
        now += timedelta(seconds=seconds)
        if event == "a":
            subject.allows(now)
        elif event == "f":
            subject.failed(now, "x")
        elif event == "s":
            subject.succeeded(now)
        else:
            subject.trip(now, "y", 120)
        for change in subject.take_changes():
            assert change.was is state
            assert change.becomes in {to for (was, _), to in TABLE.items() if was is state}
            state = change.becomes
    assert subject.state is state


def test_retries_grow_with_jitter_and_end() -> None:
    """The pause doubles up to its bound, is never less than half of it, and there is a last attempt."""
    policy = RetryPolicy(attempts_max=4, first_s=1, most_s=3)
    assert [policy.delay_s(failures, 0.0) for failures in (1, 2, 3, 4)] == [0.5, 1.0, 1.5, None]
    assert policy.delay_s(2, 0.999) == pytest.approx(2.0, abs=0.01)
    with pytest.raises(ValueError, match="1 or more"):
        policy.delay_s(0, 0.0)
