"""The session without a socket: what goes in and what comes out."""

import itertools
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from session_desk import broker_settings

from adapters.clock import SystemClock
from adapters.ibkr.session.outputs import LinkAction
from adapters.ibkr.session.pacing import Send
from adapters.ibkr.session.session import BrokerSession
from trading.model.broker import BrokerEventKind, BrokerPosition, LinkState

ACCOUNTS = ("DU1", "DU2")


def connected(**changes: Any) -> BrokerSession:
    """A session whose handshake is over and whose walk is asked."""
    session = BrokerSession(broker_settings(**changes), SystemClock(), Random(7))
    session.start()
    session.link_ready(ACCOUNTS, 176)
    session.tick()
    return session


def answers(session: BrokerSession, question: str) -> list[tuple[str, str]]:
    """Completeness and reason of the answers to one question."""
    told = [event.payload for event in session.outputs.events if event.kind is BrokerEventKind.ANSWER]
    return [(item["completeness"], item["reason"]) for item in told if item["question"] == question]


def test_a_connection_is_asked_for_everything_at_once() -> None:
    """The clock first, and the figures of each account."""
    session = connected()
    assert list(session.outputs.link) == [LinkAction.CONNECT]
    assert [request.send for request in session.outputs.requests] == [
        Send.TIME,
        Send.OPEN_ORDERS,
        Send.COMPLETED_ORDERS,
        Send.POSITIONS,
        Send.EXECUTIONS,
        Send.ACCOUNT_VALUES,
        Send.ACCOUNT_VALUES,
    ]


@pytest.mark.parametrize(
    ("kind", "end", "question"),
    [
        ("61", 62, "positions"),
        ("5", 53, "open_orders"),
        ("3", 53, "open_orders"),
        ("101", 102, "completed_orders"),
    ],
)
def test_an_answer_with_an_unreadable_row_is_partial(kind: str, end: int, question: str) -> None:
    """Its end came, and something is missing from it all the same: nothing may be concluded."""
    session = connected()
    session.undecodable((kind, "1", "garbage"), "ValueError: not enough values")
    session.end(end, -1)
    ((completeness, reason),) = answers(session, question)
    assert completeness == "partial" and "could not be read" in reason


def test_positions_that_come_late_put_off_the_next_question() -> None:
    """The old answer is still coming: its end would end the new one before its rows."""
    session = BrokerSession(broker_settings(request_timeout_s=20, silence_after_s=900), Still(), Random(7))
    session.start()
    session.link_ready(ACCOUNTS, 176)
    begun = Still.at
    row = BrokerPosition(
        account="DU1", conid=1, instrument_id="OPT:X", symbol="X", quantity=Decimal(1), average_cost=None
    )
    asked = []
    for second in range(0, 100, 5):
        Still.at = begun + timedelta(seconds=second)
        if second < 40:
            session.position(row)
        session.tick()
        session.time(Still.at)
        asked += [second for request in session.outputs.requests if request.send is Send.POSITIONS]
        session.outputs.requests.clear()
    assert asked[0] == 0 and asked[1] >= 55, asked


def test_a_slow_answer_is_not_asked_for_again_at_once() -> None:
    """A sweep every second that takes three: the line is free for as long as the answer took."""
    session = BrokerSession(broker_settings(sweep_every_s=1, silence_after_s=900), Still(), Random(7))
    session.start()
    session.link_ready((), 176)
    begun, open_at, asked = Still.at, None, []
    for second in range(20):
        Still.at = begun + timedelta(seconds=second)
        session.tick()
        session.time(Still.at)
        for ending in (53, 102, 62):
            session.end(ending, -1)
        for request in session.outputs.requests:
            if request.send is Send.EXECUTIONS:
                open_at, number = second, request.number
                asked.append(second)
        session.outputs.requests.clear()
        if open_at is not None and second == open_at + 3:
            session.end(55, number)
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert len(pauses) >= 2 and all(pause >= 6 for pause in pauses[1:]), asked


def test_an_error_of_ours_in_hearing_a_message_is_told() -> None:
    """Fields that are none: the message is told as it came, and nothing breaks."""
    session = connected()
    for fields in (("11",), ("59",), ("11", "--1", *["x"] * 29), ("59", "1")):
        session.message(fields)
    told = [event for event in session.outputs.events if event.kind is BrokerEventKind.MESSAGE]
    assert len(told) == 4


def test_a_refusal_of_an_order_that_nobody_told_of_is_kept() -> None:
    """Placed elsewhere under this client's id and refused before its first word: it names its number."""
    session = connected()
    session.error(4711, 201, "Order rejected", "")
    session.error(-1, 2104, "farm is up", "")
    told = [event.payload for event in session.outputs.events if event.kind is BrokerEventKind.ORDER_ERROR]
    assert [(item["order_id"], item["code"], item["order_ref"]) for item in told] == [(4711, 201, "")]


def test_a_lost_link_breaks_off_every_answer_and_is_tried_again_with_jitter() -> None:
    """All open answers are failed, the socket is given up, and the pause is between half and all of it."""
    session = connected(reconnect_first_s=10, reconnect_max_s=10)
    session.link_closed("gone")
    assert session.state is LinkState.LOST
    assert answers(session, "positions") == [("failed", "gone")]
    assert list(session.outputs.link) == [LinkAction.CONNECT, LinkAction.HANG_UP]
    due = session.next_tick()
    assert due is not None and 4.9 <= (due - SystemClock().now()).total_seconds() <= 10


def test_pauses_between_attempts_grow_to_their_bound() -> None:
    """1, 2, 4, 8 and then 10 seconds, each with its jitter."""
    session = BrokerSession(broker_settings(reconnect_first_s=1, reconnect_max_s=10), Still(), _NoJitter())
    session.start()
    pauses = []
    for _ in range(6):
        session.link_closed("refused")
        due = session.next_tick()
        assert due is not None
        pauses.append((due - Still.at).total_seconds())
        Still.at = due
        session.tick()
    assert pauses == [1, 2, 4, 8, 10, 10]


def test_an_attempt_without_a_word_is_given_up() -> None:
    """Should the edge ever forget to say how an attempt ended, the session does not wait for ever."""
    session = BrokerSession(broker_settings(connect_timeout_s=10), Still(), Random(7))
    session.start()
    due = session.next_tick()
    assert due == Still.at + timedelta(seconds=30)
    Still.at = due
    session.tick()
    assert session.state is LinkState.LOST and session.next_tick() is not None


def test_after_a_stand_still_of_ours_the_link_is_asked_before_it_is_left() -> None:
    """A machine that slept through the whole limit hears nothing meanwhile: the answer gets its own time."""
    session = BrokerSession(broker_settings(silence_after_s=10), Still(), Random(7))
    session.start()
    session.link_ready(("DU1",), 176)
    session.outputs.requests.clear()
    Still.at += timedelta(hours=1)
    session.tick()
    assert Send.TIME in [request.send for request in session.outputs.requests]
    Still.at += timedelta(seconds=9)
    session.tick()
    assert session.state is not LinkState.LOST
    Still.at += timedelta(seconds=1)
    session.tick()
    assert session.state is LinkState.LOST


def test_a_reconnection_forgets_what_was_queued_for_the_old_one() -> None:
    """Requests that were not sent are not sent on another connection."""
    session = connected(messages_per_s_max=1)
    session.link_closed("gone")
    assert not session.outputs.requests


class Still(SystemClock):
    """A clock that stands where it is put."""

    at = SystemClock().now()

    def now(self) -> Any:
        """That moment."""
        return self.at


class _NoJitter(Random):
    def uniform(self, a: float, b: float) -> float:
        return b
