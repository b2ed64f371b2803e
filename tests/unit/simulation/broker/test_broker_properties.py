"""Whatever clients do and whenever time moves: books, groups, ends and limits hold."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulated_broker import ACCOUNT, SESSION, Desk

from simulation.broker.model import BrokerSays, Executed, OrderTold, OrderView, Status
from simulation.broker.trader import SampleTrader

EXAMPLES = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
TYPES = ("MKT", "LMT", "STP", "TRAIL", "IOC")
MOVES = st.lists(
    st.tuples(
        st.sampled_from(("place", "place", "place", "cancel", "change", "correct", "bust", "wait", "wait")),
        st.integers(0, 10_000),
    ),
    min_size=3,
    max_size=25,
)


def _play(desk: Desk, moves: list[tuple[str, int]]) -> None:
    for verb, number in moves:
        _PLAYS[verb](desk, number)


def _place(desk: Desk, number: int) -> None:
    """An order of some type, side, size, price and group."""
    bid, ask = desk.bid_ask()
    kind = TYPES[number % len(TYPES)]
    action = "BUY" if number // 5 % 2 else "SELL"
    away = Decimal(number % 23 - 11) / 100
    more: dict[str, Any] = {"order_type": kind}
    if kind == "LMT":
        more["limit_price"] = max(Decimal("0.01"), (ask if action == "BUY" else bid) + away)
    if kind == "STP":
        more["aux_price"] = max(Decimal("0.01"), bid + away)
    if kind == "TRAIL":
        more["aux_price"] = Decimal("0.05")
    if kind == "IOC":
        more.update(order_type="MKT", tif="IOC")
    if number % 3 == 0:
        more.update(oca_group=f"g{number % 2}", oca_type=2 - number % 2)
    desk.order(action, 1 + number % 40, **more)


def _cancel(desk: Desk, number: int) -> None:
    desk.cancel(number % max(1, len(desk.broker.register.by_perm)) + 1)


def _change(desk: Desk, number: int) -> None:
    orders = list(desk.broker.register.by_perm.values())
    if orders:
        ticket = orders[number % len(orders)].ticket
        price = None if ticket.limit_price is None else ticket.limit_price + Decimal("0.01")
        desk.place(replace(ticket, quantity=ticket.quantity + number % 3, limit_price=price))


def _correct(desk: Desk, number: int) -> None:
    told = desk.broker.executed.told
    if told:
        exec_id = told[number % len(told)].execution.exec_id
        if not desk.broker.executed.find(exec_id)[0].busted:
            quantity = Decimal(1 + number % 5)
            desk.heard(desk.broker.correct(exec_id, quantity=quantity, now=desk.now))


def _bust(desk: Desk, number: int) -> None:
    told = desk.broker.executed.told
    if told and number % 4 == 0:
        exec_id = told[number % len(told)].execution.exec_id
        if not desk.broker.executed.find(exec_id)[0].busted:
            desk.heard(desk.broker.bust(exec_id, desk.now))


def _wait(desk: Desk, number: int) -> None:
    desk.wait(number % 300 / 2)


_PLAYS = {
    "place": _place,
    "cancel": _cancel,
    "change": _change,
    "correct": _correct,
    "bust": _bust,
    "wait": _wait,
}


@EXAMPLES
@given(MOVES)
def test_positions_are_the_sum_of_the_executions_that_stand(moves: list[tuple[str, int]]) -> None:
    """The last revision of each, without what was taken back; cash follows fees and prices."""
    desk = Desk()
    _play(desk, moves)
    stands: dict[str, Decimal] = {}
    for told in desk.broker.executed.told:
        base = told.execution.exec_id.rpartition(".")[0]
        stands[base] = told.execution.quantity * told.execution.side
    for base in stands:
        if desk.broker.executed.find(base)[0].busted:
            stands[base] = Decimal(0)
    held = sum((item.quantity for item in desk.broker.positions()), Decimal(0))
    assert held == sum(stands.values())


@EXAMPLES
@given(MOVES)
def test_a_done_order_never_changes_again(moves: list[tuple[str, int]]) -> None:
    """After Filled, Cancelled or Inactive the broker tells no other state and no more executions."""
    desk = Desk()
    _play(desk, moves)
    desk.wait(600)
    ended: dict[int, OrderView] = {}
    for item in desk.said:
        if isinstance(item, OrderTold):
            before = ended.setdefault(item.order.perm_id, item.order) if item.order.status.is_done else None
            assert before is None or before == item.order
            assert item.order.perm_id not in ended or item.order.status.is_done
        if isinstance(item, Executed) and item.execution.exec_id.endswith(".01"):
            assert item.execution.perm_id not in ended


@EXAMPLES
@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=12), st.integers(1, 2), st.integers(2, 30))
def test_a_group_never_sells_more_than_it_protects(numbers: list[int], kind: int, size: int) -> None:
    """Stops, targets and trailing stops of one group and size together fill at most that size."""
    desk = Desk()
    bid, ask = desk.bid_ask()
    more: dict[str, Any] = {"oca_group": "exit", "oca_type": kind}
    choices = (
        {"order_type": "LMT", "limit_price": ask + Decimal("0.02")},
        {"order_type": "STP", "aux_price": bid - Decimal("0.03")},
        {"order_type": "TRAIL", "aux_price": Decimal("0.04")},
        {"order_type": "LMT", "limit_price": bid + Decimal("0.01")},
    )
    desk.order("BUY", size)
    desk.wait(20)
    tickets = [desk.order("SELL", size, **more, **choices[number % 4]) for number in numbers]
    for number in numbers:
        desk.wait(number % 120)
        orders = [desk.broker.register.find(t.client_id, t.order_id) for t in tickets]
        filled = sum((order.filled for order in orders if order), Decimal(0))
        live = max((order.remaining for order in orders if order and order.is_live), default=Decimal(0))
        assert filled + live <= size


@EXAMPLES
@given(MOVES)
def test_nothing_is_executed_beyond_its_limit(moves: list[tuple[str, int]]) -> None:
    """Buys at or below, sales at or above the limit that the order had then."""
    desk = Desk()
    limits: dict[int, Decimal] = {}
    seen = 0
    for move in moves:
        _play(desk, [move])
        for item in desk.said[seen:]:
            if isinstance(item, OrderTold) and item.order.ticket.order_type == "LMT":
                assert item.order.ticket.limit_price is not None
                limits[item.order.perm_id] = item.order.ticket.limit_price
            if isinstance(item, Executed) and item.execution.exec_id.endswith(".01"):
                view = item.execution
                limit = limits.get(view.perm_id)
                assert limit is None or view.side * (view.price - limit) <= 0
        seen = len(desk.said)


@settings(EXAMPLES, max_examples=12)
@given(st.lists(st.floats(0.01, 300), min_size=1, max_size=6))
def test_steps_of_time_do_not_matter(steps: list[float]) -> None:
    """Going there in many steps tells what going there in one step tells."""
    total = sum(steps)

    def played(waits: list[float]) -> list[BrokerSays]:
        desk = Desk()
        SampleTrader(broker=desk.broker, accounts=(ACCOUNT,), client_id=11, orders=200).schedule(SESSION)
        start = desk.now
        _place_some_of_each(desk)
        for wait in waits:
            desk.wait(wait)
        desk.heard(desk.broker.advance(start + timedelta(seconds=total + 1)))
        return desk.said

    assert played(steps) == played([total])


def _place_some_of_each(desk: Desk) -> None:
    for number in range(10, 20):
        _place(desk, number)


def _session(seed: int) -> tuple[str, str, str]:
    desk = Desk(seed)
    SampleTrader(broker=desk.broker, accounts=(ACCOUNT,), client_id=11, orders=25).schedule(SESSION)
    said = desk.broker.close_session(SESSION)
    return repr(said), desk.broker.statement(ACCOUNT, SESSION), repr(desk.broker.journal())


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    """What is told, the statement, the journal."""
    one, again, other = _session(7), _session(7), _session(8)
    assert one == again
    assert all(ours != theirs for ours, theirs in zip(one, other, strict=True))


def test_orders_that_are_far_away_are_looked_at_less_and_miss_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is told is the same, word for word, as when every order is looked at in every second."""
    rarely = _session(7)
    monkeypatch.setattr("simulation.broker.order_desk.slack_cents", lambda *_: 0)
    assert _session(7) == rarely


def test_every_sort_of_end_happens_in_a_session() -> None:
    """The sample trader's session has fills, cancels, combinations, partial fills and closings."""
    desk = Desk()
    trader = SampleTrader(broker=desk.broker, accounts=(ACCOUNT,), client_id=11, orders=80)
    trader.schedule(SESSION)
    said = desk.heard(desk.broker.close_session(SESSION))
    ends: dict[Status, int] = defaultdict(int)
    for order in desk.broker.register.by_perm.values():
        ends[order.status] += 1
    assert trader.placed >= 80 and ends[Status.FILLED] > 40 and ends[Status.CANCELLED] > 3
    told = [item.execution for item in said if isinstance(item, Executed)]
    assert any(item.is_combination for item in told)
    assert len(told) > trader.placed
    assert len({item.exec_id for item in told}) == len(told)
    assert desk.broker.next_order_id(11) == 1  # the client's own numbering does not move
