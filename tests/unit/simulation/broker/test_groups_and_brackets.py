"""Families and groups: who is held, who is released, what a fill of one takes from the others."""

from dataclasses import replace
from decimal import Decimal

import pytest
from simulated_broker import ACCOUNT, CLIENT, Desk, codes, executions, kinds, statuses

from simulation.broker.matching import ADDED, Deal
from simulation.broker.model import BrokerSays, Status, Ticket

CENT = Decimal("0.01")


@pytest.fixture
def desk() -> Desk:
    """A broker half an hour after the opening."""
    return Desk()


def _bracket(desk: Desk, quantity: int, **parent: object) -> tuple[Ticket, Ticket, Ticket]:
    """A purchase with a target and a stop; the stop releases the family."""
    bid, ask = desk.bid_ask()
    entry = desk.ticket("BUY", quantity, transmit=False, **parent)
    more = {"parent_id": entry.order_id}
    target = desk.ticket(
        "SELL", quantity, order_type="LMT", limit_price=ask + 5 * CENT, transmit=False, **more
    )
    stop = desk.ticket("SELL", quantity, order_type="STP", aux_price=bid - 20 * CENT, **more)
    return entry, target, stop


def test_a_family_stays_unseen_until_a_child_releases_it(desk: Desk) -> None:
    """Orders that are not transmitted say nothing and are no open orders."""
    entry, target, stop = _bracket(desk, 2)
    assert not desk.place(entry) and not desk.place(target)
    assert not desk.broker.open_orders(None)
    said = desk.place(stop)
    assert [s.value for s in statuses(said, entry.order_id)] == ["PreSubmitted", "Filled"]
    assert executions(said)


def test_children_wait_for_their_parent(desk: Desk) -> None:
    """Held as children, in the parent's group of type 3; then the target works and the stop is held."""
    bid, _ = desk.bid_ask()
    entry, target, stop = _bracket(desk, 2, order_type="LMT", limit_price=bid)
    for ticket in (entry, target, stop):
        desk.place(ticket)
    parent = desk.broker.register.find(CLIENT, entry.order_id)
    children = [desk.broker.register.find(CLIENT, item.order_id) for item in (target, stop)]
    assert parent is not None
    for child in children:
        assert child is not None and child.why_held == "child"
        assert child.view().parent_perm_id == parent.perm_id
        assert (child.ticket.oca_group, child.ticket.oca_type) == (str(parent.perm_id), 3)
    desk.wait(1_800)
    assert parent.status is Status.FILLED
    told = statuses(desk.said, target.order_id)
    assert told[:2] == [Status.PRE_SUBMITTED, Status.SUBMITTED]


def test_a_filled_target_takes_the_stop_down(desk: Desk) -> None:
    """The other member ends cancelled with notice 202, and nothing is left working."""
    entry, target, stop = _bracket(desk, 2)
    for ticket in (entry, target, stop):
        desk.place(ticket)
    for _ in range(60):
        desk.wait(120)
        if desk.status(target).is_done:
            break
    ends = {desk.status(target), desk.status(stop)}
    assert ends == {Status.FILLED, Status.CANCELLED}
    assert codes(desk.said) == [202]
    assert not desk.broker.positions() and not desk.broker.open_orders(None)


def test_a_cancelled_parent_takes_its_children_with_it(desk: Desk) -> None:
    """All three end, each with its notice."""
    family = _bracket(desk, 2, order_type="LMT", limit_price=CENT)
    for ticket in family:
        desk.place(ticket)
    assert codes(desk.cancel(family[0].order_id)) == [202, 202, 202]
    assert {desk.status(ticket) for ticket in family} == {Status.CANCELLED}


def test_a_family_that_was_never_sent_can_be_cancelled_in_silence(desk: Desk) -> None:
    """What the broker never had is gone without a word."""
    entry, target, _ = _bracket(desk, 2)
    desk.place(entry)
    desk.place(target)
    assert not desk.cancel(entry.order_id)
    assert desk.status(entry) is Status.CANCELLED and desk.status(target) is Status.CANCELLED


def test_a_rejected_parent_takes_its_children_with_it(desk: Desk) -> None:
    """Inactive parent, cancelled children."""
    family = _bracket(desk, 90_000)
    for ticket in family:
        desk.place(ticket)
    assert [desk.status(ticket) for ticket in family] == [Status.INACTIVE, Status.CANCELLED, Status.CANCELLED]


@pytest.mark.parametrize(("kind", "left"), [(1, None), (2, 1), (3, 1)])
def test_a_part_of_one_member_cuts_the_others_by_its_type(desk: Desk, kind: int, left: int | None) -> None:
    """Type 1 cancels the others with the first part, 2 and 3 leave them what is still to be closed."""
    desk.order("BUY", 4)
    desk.wait(10)
    bid, _ = desk.bid_ask()
    group = {"oca_group": "exit", "oca_type": kind}
    other = desk.order("SELL", 4, order_type="STP", aux_price=bid - 100 * CENT, **group)
    first = desk.order("SELL", 4, order_type="LMT", limit_price=bid + 500 * CENT, **group)
    order = desk.broker.register.find(CLIENT, first.order_id)
    assert order is not None
    said = desk.heard(_fill(desk, first.order_id, 3))
    remaining = desk.broker.register.find(CLIENT, other.order_id)
    assert remaining is not None
    if left is None:
        assert remaining.status is Status.CANCELLED and 202 in codes(said)
    else:
        assert remaining.is_live and remaining.remaining == left


def _fill(desk: Desk, order_id: int, quantity: int) -> list[BrokerSays]:
    """Fill a part of an order at its limit, as if the market had come to it."""
    order = desk.broker.register.find(CLIENT, order_id)
    assert order is not None and order.limit_cents is not None
    deal = Deal(quantity, order.limit_cents, ADDED)
    said = desk.broker.desk._fill(order, deal, (deal.cents,), desk.now)
    return said + desk.broker.desk._cut_late(desk.now)


def test_a_second_fill_cuts_again_and_the_last_ends_the_group(desk: Desk) -> None:
    """Whatever is filled, what the group can still sell is what is still held."""
    desk.order("BUY", 4)
    desk.wait(10)
    bid, ask = desk.bid_ask()
    group = {"oca_group": "exit", "oca_type": 2}
    members = [
        desk.order("SELL", 4, order_type="LMT", limit_price=ask + cents * CENT, **group)
        for cents in (300, 301, 302)
    ]
    for quantity in (1, 2):
        desk.heard(_fill(desk, members[0].order_id, quantity))
        held = desk.broker.ledgers[members[0].account].position(desk.option().conid)
        for member in members:
            order = desk.broker.register.find(CLIENT, member.order_id)
            assert order is not None and order.remaining <= held
    desk.heard(_fill(desk, members[1].order_id, 1))
    assert not desk.broker.open_orders(None) and not desk.broker.positions()
    assert bid


def test_members_of_other_sizes_are_cut_by_the_share_and_never_too_little(desk: Desk) -> None:
    """A third of the smaller member takes a third of the larger one, rounded up."""
    desk.order("BUY", 4)
    desk.wait(10)
    bid, _ = desk.bid_ask()
    group = {"oca_group": "exit", "oca_type": 2}
    larger = desk.order("SELL", 4, order_type="STP", aux_price=bid - 100 * CENT, **group)
    smaller = desk.order("SELL", 3, order_type="LMT", limit_price=bid + 300 * CENT, **group)
    desk.heard(_fill(desk, smaller.order_id, 1))
    other = desk.broker.register.find(CLIENT, larger.order_id)
    assert other is not None and other.remaining == 2


def test_a_filled_group_takes_no_more_members(desk: Desk) -> None:
    """Who rebuilds an exit needs a new group; the broker refuses the old one with 201."""
    group = {"oca_group": "exit", "oca_type": 2}
    desk.order("BUY", 1)
    desk.order("SELL", 1, **group)
    late = desk.ticket("SELL", 1, order_type="LMT", limit_price=CENT * 900, **group)
    assert codes(desk.place(late)) == [201] and desk.status(late) is Status.INACTIVE
    other = desk.ticket("SELL", 1, order_type="LMT", limit_price=CENT * 900, oca_group="new", oca_type=2)
    assert not codes(desk.place(other))


def test_type_three_is_told_too_late_when_two_trade_in_one_second(desk: Desk) -> None:
    """Without a block both members of a falling market can trade, and the position turns: never use it."""
    desk.order("BUY", 1)
    bid, _ = desk.bid_ask()
    stop = bid - 5 * CENT
    for kind, ends in ((2, 0), (3, -1)):
        held = desk.broker.ledgers[ACCOUNT].position(desk.option().conid)
        if not held:
            desk.order("BUY", 1)
        group = {"oca_group": f"exit {kind}", "oca_type": kind}
        pair = [desk.order("SELL", 1, order_type="STP", aux_price=stop, **group) for _ in range(2)]
        while not any(desk.status(ticket).is_done for ticket in pair):
            desk.wait(1)
        assert desk.broker.ledgers[ACCOUNT].position(desk.option().conid) == ends


def test_a_stop_of_a_group_can_be_moved_without_naming_the_group_again(desk: Desk) -> None:
    """A trailing change sends the order as it was placed; the group stays what it is."""
    entry, target, stop = _bracket(desk, 2)
    for ticket in (entry, target, stop):
        desk.place(ticket)
    moved = replace(stop, aux_price=(stop.aux_price or CENT) + CENT)
    said = desk.place(moved)
    assert kinds(said) == "O"
    order = desk.broker.register.find(CLIENT, stop.order_id)
    assert order is not None and order.oca_type == 3 and order.stop_cents == int(moved.aux_price * 100)
