"""The limits of a real gateway: messages a second, and three rules for history."""

from datetime import UTC, datetime, timedelta

from simulation.tws.pacing import HISTORY_REQUESTS_MAX, HistoryPacing, MessageRate

NOW = datetime(2026, 11, 13, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_fifty_messages_in_a_second_are_allowed_and_the_next_is_not() -> None:
    """The window slides; a violation empties it, so each is counted once."""
    rate = MessageRate(limit=50)
    assert [rate.count(n / 100) for n in range(50)] == [0] * 50
    assert rate.count(0.5) == 51
    assert rate.violations == 1
    assert [rate.count(0.6 + n / 100) for n in range(50)] == [0] * 50


def test_a_steady_forty_five_a_second_is_never_too_fast() -> None:
    """What the client libraries throttle themselves to."""
    rate = MessageRate(limit=50)
    assert not any(rate.count(n / 45) for n in range(1_000))


def test_the_same_history_again_within_fifteen_seconds_is_refused() -> None:
    """Another contract or another length is another request."""
    pacing = HistoryPacing()
    assert pacing.refuses("a", 1, NOW) == ""
    assert "identical" in pacing.refuses("a", 1, NOW + 14 * SECOND)
    assert pacing.refuses("b", 1, NOW + 14 * SECOND) == ""
    assert pacing.refuses("a", 1, NOW + 15 * SECOND) == ""


def test_the_sixth_request_for_one_contract_in_two_seconds_is_refused() -> None:
    """Others are not held up by it, and two seconds later it may ask again."""
    pacing = HistoryPacing()
    assert [pacing.refuses(n, 1, NOW) for n in range(5)] == [""] * 5
    assert "one contract" in pacing.refuses(5, 1, NOW)
    assert pacing.refuses(6, 2, NOW) == ""
    assert pacing.refuses(7, 1, NOW + 2 * SECOND) == ""


def test_sixty_requests_in_ten_minutes_are_the_limit_and_quotes_count_twice() -> None:
    """After ten minutes the oldest no longer counts."""
    pacing = HistoryPacing()
    for number in range(HISTORY_REQUESTS_MAX - 1):
        assert pacing.refuses(number, number, NOW + number * SECOND) == ""
    later = NOW + 60 * SECOND
    assert "10 minutes" in pacing.refuses("quotes", 999, later, weight=2)
    assert pacing.refuses("trades", 999, later) == ""
    assert "10 minutes" in pacing.refuses("more", 998, later)
    assert pacing.refuses("more", 998, NOW + timedelta(minutes=10, seconds=2)) == ""
