"""The queue under the broker's limit of messages."""

from datetime import UTC, datetime, timedelta

from adapters.ibkr.session.pacing import Pacing, Request, Send

AT = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)


def filled(count: int, per_second_max: int = 10, waiting_max: int = 100) -> Pacing:
    """A queue with so many questions in it."""
    pacing = Pacing(per_second_max, waiting_max)
    assert all(pacing.put(Request(send=Send.TIME, number=number)) for number in range(count))
    return pacing


def test_no_second_holds_more_messages_than_the_limit() -> None:
    """Thirty-five questions at ten a second go out in four seconds, and in no window of one are eleven."""
    pacing, sent = filled(35), []
    for tenth in range(60):
        now = AT + timedelta(milliseconds=100 * tenth)
        sent += [(now, request.number) for request in pacing.take(now)]
    assert [number for _, number in sent] == list(range(35))
    moments = [moment for moment, _ in sent]
    assert all(b - a >= timedelta(seconds=1) for a, b in zip(moments, moments[10:], strict=False))
    assert moments[-1] - moments[0] == timedelta(seconds=3)


def test_what_reduces_risk_goes_first() -> None:
    """A cancel overtakes an order, and both overtake questions."""
    pacing = filled(3, per_second_max=3)
    pacing.put(Request(send=Send.PLACE, number=7))
    pacing.put(Request(send=Send.CANCEL, number=8))
    assert [request.send for request in pacing.take(AT)] == [Send.CANCEL, Send.PLACE, Send.TIME]


def test_a_full_queue_refuses_all_but_cancels() -> None:
    """An order that waited is sent late, so it is refused instead; a cancel is not."""
    pacing = filled(5, waiting_max=5)
    assert not pacing.put(Request(send=Send.PLACE))
    assert pacing.put(Request(send=Send.CANCEL))


def test_after_too_many_messages_the_queue_rests() -> None:
    """Code 100 pauses everything, then it goes on."""
    pacing = filled(1)
    pacing.rest(AT)
    assert pacing.take(AT + timedelta(seconds=1)) == []
    assert pacing.next_at(AT) == AT + timedelta(seconds=2)
    assert len(pacing.take(AT + timedelta(seconds=2))) == 1


def test_a_dead_connection_takes_its_queue_with_it() -> None:
    """What was for the old connection is not sent on the new one."""
    pacing = filled(4)
    assert len(pacing.drop_all()) == 4
    assert pacing.take(AT) == [] and pacing.next_at(AT) is None
