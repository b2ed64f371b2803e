"""The limits of a real gateway: messages a second, and three rules for history."""

from datetime import UTC, datetime, timedelta

from simulation.tws.pacing import BEAT_S, HISTORY_REQUESTS_MAX, Attention, HistoryPacing, MessageRate

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


def read_late(sent: list[float], busy: tuple[float, float]) -> MessageRate:
    """What a gateway that read nothing from one moment to another makes of messages sent at some moments."""
    rate, attention = MessageRate(limit=50), Attention()
    read = sorted(busy[1] if busy[0] < at < busy[1] else at for at in sent)
    beats = [n * BEAT_S for n in range(int(sent[-1] / BEAT_S) + 2)]
    beats = sorted({busy[1] if busy[0] < at < busy[1] else at for at in beats})
    for at, kind in sorted([*((at, 1) for at in read), *((at, 0) for at in beats)]):
        if kind:
            rate.count(at, attention.waited_since(at))
        else:
            attention.beat(at)
    return rate


def test_what_waited_while_the_gateway_was_busy_is_not_held_against_the_client() -> None:
    """Fifty a second arrive together after a second and a half: no violation; without the beats, there is."""
    sent = [n / 50 for n in range(200)]
    assert read_late(sent, busy=(1.0, 2.5)).violations == 0
    without_beats = MessageRate(limit=50)
    assert any(without_beats.count(max(at, 2.5) if at > 1.0 else at) for at in sent)


def test_bursts_of_a_library_that_throttles_itself_survive_a_stall() -> None:
    """45 at once and again a second later is what client libraries send; both may be read together."""
    sent = [second + n / 10_000 for second in range(5) for n in range(45)]
    assert read_late(sent, busy=(0.9, 3.1)).violations == 0


def test_eighty_a_second_are_refused_awake_or_after_a_stall() -> None:
    """A stall is no licence: what exceeds the limit over its whole length is counted."""
    sent = [n / 80 for n in range(400)]
    assert read_late(sent, busy=(0.0, 0.0)).violations >= 3
    assert read_late(sent, busy=(1.0, 2.5)).violations >= 3


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
