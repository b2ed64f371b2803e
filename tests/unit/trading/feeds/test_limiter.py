"""The windows of a vendor's plan: never exceeded, shared fairly, remembered over a restart."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.feeds.limiter import RateLimits, RequestLimiter, minute_of

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def limiter(**limits: int) -> RequestLimiter:
    """A fresh one."""
    return RequestLimiter(RateLimits(**limits), {}, NOON)


def most_in(moments: list[datetime], window: timedelta) -> int:
    """The most of the moments that lie in any window of this length (its end left out)."""
    return max((sum(1 for at in moments if first <= at < first + window) for first in moments), default=0)


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.floats(0, 40), min_size=1, max_size=250),
    feeds=st.lists(st.sampled_from(["chains", "technicals", "sentiment"]), min_size=1, max_size=7),
    per_minute=st.integers(1, 9),
    per_day=st.integers(0, 40),
    per_second=st.integers(0, 3),
    restarts=st.sets(st.integers(0, 249), max_size=4),
)
def test_no_schedule_exceeds_a_window(
    gaps: list[float],
    feeds: list[str],
    per_minute: int,
    per_day: int,
    per_second: int,
    restarts: set[int],
) -> None:
    """Whatever is asked when, and however often the process restarts, no window holds more than allowed."""
    limits = RateLimits(per_minute=per_minute, per_day=per_day, per_second=per_second)
    ledger: Counter[datetime] = Counter()
    now, subject = NOON, RequestLimiter(limits, {}, NOON)
    left: list[datetime] = []
    for place, gap in enumerate(gaps):
        now += timedelta(seconds=gap)
        if place in restarts:
            subject = RequestLimiter(limits, dict(ledger), now)
        if subject.ask(feeds[place % len(feeds)], now).allowed:
            left.append(now)
            ledger[minute_of(now)] += 1
    assert most_in(left, timedelta(minutes=1)) <= per_minute
    if per_day:
        assert most_in(left, timedelta(days=1)) <= per_day
    if per_second and not restarts:
        assert most_in(left, timedelta(seconds=1)) <= per_second


def test_a_refusal_says_when_to_come_again() -> None:
    """Who waits as long as it is told is served."""
    subject = limiter(per_minute=2)
    assert subject.ask("chains", NOON).allowed
    assert subject.ask("chains", NOON + timedelta(seconds=10)).allowed
    refusal = subject.ask("chains", NOON + timedelta(seconds=20))
    assert not refusal.allowed
    assert "minute" in refusal.reason
    assert subject.ask("chains", NOON + timedelta(seconds=20 + refusal.wait_s)).allowed


def test_a_greedy_feed_leaves_room_for_those_that_had_less() -> None:
    """With more demand than plan every feed gets its share, however often one of them asks."""
    subject, served = limiter(per_minute=30), Counter[str]()
    for tick in range(4 * 60 * 5):  # five minutes, four asks of the greedy one a second
        now = NOON + timedelta(milliseconds=250 * tick)
        for feed in ("chains", "chains", "chains", "chains", "technicals", "sentiment"):
            served[feed] += subject.ask(feed, now).allowed
    assert sum(served.values()) >= 30 * 5 * 0.9
    assert min(served.values()) >= 0.75 * max(served.values())


def test_a_feed_alone_gets_everything() -> None:
    """Room is left for those that ask, not for those that might."""
    subject = limiter(per_minute=30)
    assert sum(subject.ask("chains", NOON).allowed for _ in range(40)) == 30


def test_a_feed_that_never_came_back_blocks_nobody() -> None:
    """A place in the queue is lost a few seconds after its turn."""
    subject = limiter(per_minute=2)
    assert subject.ask("chains", NOON).allowed
    assert subject.ask("chains", NOON).allowed
    assert not subject.ask("sentiment", NOON).allowed
    late = NOON + timedelta(seconds=70)
    assert subject.ask("chains", late).allowed
    assert subject.ask("chains", late).allowed


def test_a_restart_keeps_the_day() -> None:
    """What the ledger has counts against the day, and the last minute's counts against the minute."""
    spent = {minute_of(NOON - timedelta(hours=3)): 20, minute_of(NOON): 4}
    subject = RequestLimiter(RateLimits(per_minute=5, per_day=25), spent, NOON + timedelta(seconds=5))
    assert subject.usage(NOON + timedelta(seconds=5)).day == 24
    assert subject.ask("chains", NOON + timedelta(seconds=5)).allowed
    refusal = subject.ask("chains", NOON + timedelta(minutes=5))
    assert "day" in refusal.reason
    assert refusal.wait_s > 20 * 3600


def test_a_restart_keeps_the_last_minute() -> None:
    """What left in its last second is counted as if it had: nobody knows better after a kill."""
    left = NOON.replace(second=58)
    subject = RequestLimiter(RateLimits(per_minute=5), {minute_of(left): 5}, left + timedelta(seconds=7))
    refusal = subject.ask("chain", left + timedelta(seconds=7))
    assert not refusal.allowed
    assert refusal.wait_s >= 53
    assert subject.ask("chain", left + timedelta(seconds=7 + refusal.wait_s)).allowed


def test_the_vendor_word_counts_more_than_our_count() -> None:
    """After a rate refusal nothing leaves until the time is over."""
    subject = limiter(per_minute=5)
    subject.hold(NOON + timedelta(seconds=30), "the vendor says so")
    refusal = subject.ask("chains", NOON)
    assert refusal.reason == "the vendor says so"
    assert refusal.wait_s == pytest.approx(30)
    assert subject.ask("chains", NOON + timedelta(seconds=30)).allowed


def test_a_clock_that_is_set_back_gives_nothing_away() -> None:
    """Requests of a moment that comes again are still counted."""
    subject = limiter(per_minute=1)
    assert subject.ask("chains", NOON).allowed
    assert not subject.ask("chains", NOON - timedelta(hours=1)).allowed


def test_limits_without_a_minute_are_refused() -> None:
    """A plan that allows nothing is a mistake of the settings."""
    with pytest.raises(ValueError, match="1 or more a minute"):
        limiter(per_minute=0)
