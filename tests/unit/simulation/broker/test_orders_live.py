"""The life of one order at the simulated broker: what is told, in which order, at which price, until when."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from simulated_broker import ACCOUNT, CLIENT, SESSION, Desk, codes, executions, kinds, statuses

from simulation.broker.conduct import Refusal
from simulation.broker.model import Commissioned, Leg, OrderTold, Refused, Status, WhatIf
from simulation.broker.orders import STEPS

OPEN_HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def desk() -> Desk:
    """A broker half an hour after the opening."""
    return Desk()


def test_a_market_order_is_told_as_a_real_gateway_tells_it(desk: Desk) -> None:
    """Order, execution, order filled, and the commission report last."""
    said = desk.place(desk.ticket("SELL", 1))
    assert kinds(said) == "OEOC"
    assert statuses(said, 1) == [Status.PRE_SUBMITTED, Status.FILLED]
    assert executions(said)[0].execution.price == desk.bid_ask()[0]


def test_an_order_larger_than_the_touch_goes_on_in_the_next_second(desk: Desk) -> None:
    """Never more than the far side shows in one second; several exchanges share a second."""
    ticket = desk.ticket("BUY", 300)
    said = desk.place(ticket)
    quote = desk.broker.quote(desk.option().conid, desk.now)
    assert sum(item.execution.quantity for item in executions(said)) == quote.ask_size
    assert desk.status(ticket) is Status.SUBMITTED
    said += desk.wait(60)
    assert desk.status(ticket) is Status.FILLED
    told = [item.execution for item in executions(said)]
    assert sum(item.quantity for item in told) == 300
    seconds = {item.at for item in told}
    assert len(seconds) > 1
    assert any(len({item.exchange for item in told if item.at == second}) > 1 for second in seconds)


def test_two_orders_share_what_the_touch_shows(desk: Desk) -> None:
    """What one has taken in a second is not there for the other."""
    size = desk.broker.quote(desk.option().conid, desk.now).ask_size
    said = desk.place(desk.ticket("BUY", size)) + desk.place(desk.ticket("BUY", size))
    assert sum(item.execution.quantity for item in executions(said)) == size
    assert executions(desk.wait(1))


def test_a_resting_limit_order_trades_at_its_limit_and_adds_liquidity(desk: Desk) -> None:
    """It waits at the bid, and what comes trades at its own price, with a rebate."""
    bid, _ = desk.bid_ask()
    ticket = desk.order("BUY", 3, order_type="LMT", limit_price=bid)
    assert desk.status(ticket) is Status.SUBMITTED
    said = desk.wait(1_800)
    assert {item.execution.price for item in executions(said)} == {bid}
    assert {item.execution.liquidity for item in executions(said)} == {1}
    assert any(item.report.amount < 0 for item in said if isinstance(item, Commissioned))


def test_nothing_trades_through_a_limit(desk: Desk) -> None:
    """A buyer's limit far below the market never trades, a marketable one at the ask or better."""
    bid, ask = desk.bid_ask()
    far = desk.order("BUY", 1, order_type="LMT", limit_price=bid / 2 // Decimal("0.01") * Decimal("0.01"))
    near = desk.order("BUY", 1, order_type="LMT", limit_price=ask + Decimal("0.50"))
    assert desk.status(near) is Status.FILLED
    assert executions(desk.said)[-1].execution.price == ask
    desk.wait(60)
    assert desk.status(far) is Status.SUBMITTED


def test_a_stop_waits_for_two_touches_and_then_trades_at_the_market(desk: Desk) -> None:
    """A sell stop is held by the broker until the ask has come down to it twice in a row."""
    desk.order("BUY", 5)
    desk.wait(5)
    stop = desk.bid_ask()[0] - Decimal("0.10")
    ticket = desk.order("SELL", 5, order_type="STP", aux_price=stop)
    assert desk.status(ticket) is Status.PRE_SUBMITTED
    order = desk.broker.register.find(CLIENT, ticket.order_id)
    assert order is not None and order.why_held == "trigger"
    seen = 0
    while True:
        said = desk.wait(1)
        seen = seen + 1 if desk.bid_ask()[1] <= stop else 0
        if seen == 2:
            break
        assert not executions(said)
    desk.wait(10)
    assert order.triggered and desk.status(ticket) is Status.FILLED


def test_a_trailing_stop_follows_the_market_and_never_goes_back(desk: Desk) -> None:
    """The stop only rises under a long position, and triggers when the market falls by the amount."""
    desk.order("BUY", 2)
    ticket = desk.order("SELL", 2, order_type="TRAIL", aux_price=Decimal("0.15"))
    order = desk.broker.register.find(CLIENT, ticket.order_id)
    assert order is not None
    stops: list[int] = []
    for _ in range(4_000):
        desk.wait(1)
        if order.stop_cents is not None:
            stops.append(order.stop_cents)
        if order.status.is_done:
            break
    assert order.status is Status.FILLED
    assert stops == sorted(stops) and len(set(stops)) > 1


def test_a_trailing_limit_order_becomes_a_limit_order_at_its_offset(desk: Desk) -> None:
    """Triggered, it has a limit below the stop by the offset and never sells lower."""
    desk.order("BUY", 2)
    ticket = desk.order(
        "SELL", 2, order_type="TRAIL LIMIT", aux_price=Decimal("0.10"), extras={"lmtPriceOffset": "0.03"}
    )
    order = desk.broker.register.find(CLIENT, ticket.order_id)
    assert order is not None
    while not order.triggered:
        desk.wait(5)
    assert order.stop_cents is not None and order.limit_cents == order.stop_cents - 3
    desk.wait(3_600)
    sold = [item.execution.price for item in executions(desk.said) if item.execution.side < 0]
    assert all(price * 100 >= order.limit_cents for price in sold)


def test_orders_at_the_close_trade_at_the_last_touch(desk: Desk) -> None:
    """MOC trades whole at the end; LOC beyond its limit ends with the day."""
    market = desk.order("BUY", 200, order_type="MOC")
    limit = desk.order("BUY", 2, order_type="LOC", limit_price=Decimal("0.01"))
    assert desk.status(market) is Status.PRE_SUBMITTED
    closes = desk.world.hours.of(desk.option(), SESSION).closes
    desk.wait((closes - desk.now).total_seconds() - 2)
    assert not executions(desk.said)
    desk.wait(3)
    assert desk.status(market) is Status.FILLED
    assert desk.status(limit) is Status.CANCELLED


@pytest.mark.parametrize(("tif", "ends"), [("IOC", Status.CANCELLED), ("FOK", Status.CANCELLED)])
def test_orders_for_at_once_never_rest(desk: Desk, tif: str, ends: Status) -> None:
    """IOC takes what is there and ends, FOK takes all or nothing."""
    ticket = desk.order("BUY", 500, tif=tif)
    assert desk.status(ticket) is ends
    filled = sum(item.execution.quantity for item in executions(desk.said))
    assert filled == 0 if tif == "FOK" else 0 < filled < 500
    assert 202 in codes(desk.said)


def test_day_orders_end_with_the_session_and_others_wait_for_the_next(desk: Desk) -> None:
    """DAY ends cancelled; GTC is held over night and works again at the opening; GTD ends on its date."""
    contract = desk.option(660, "P", day="20261120")
    more = {"order_type": "LMT", "limit_price": Decimal("0.01"), "contract": contract}
    day, gtc = desk.order(**more), desk.order(tif="GTC", **more)  # type: ignore[arg-type]
    gtd = desk.order(tif="GTD", extras={"goodTillDate": "20261113 23:59:59 US/Eastern"}, **more)  # type: ignore[arg-type]
    desk.wait(8 * 3_600)
    assert (desk.status(day), desk.status(gtc), desk.status(gtd)) == (
        Status.CANCELLED,
        Status.PRE_SUBMITTED,
        Status.CANCELLED,
    )
    desk.wait(3 * 86_400 - 8 * 3_600)
    assert desk.status(gtc) is Status.SUBMITTED


def test_an_order_outside_hours_is_held_until_the_open(desk: Desk) -> None:
    """Notice 399 names the opening; the order works when the market opens."""
    desk.wait(10 * 3_600)
    ticket = desk.ticket("BUY", 1, contract=desk.option(day="20261116"))
    said = desk.place(ticket)
    assert codes(said) == [399] and "2026-11-16 09:30:00" in str(said)
    assert desk.status(ticket) is Status.PRE_SUBMITTED
    assert executions(desk.wait(3 * 86_400))
    assert desk.status(ticket) is Status.FILLED


def test_a_combination_trades_its_legs_together(desk: Desk) -> None:
    """One execution of the combination (01), one for each leg (02, 03), and only legs are held."""
    first, second = desk.option(673), desk.option(675)
    legs = (Leg(conid=first.conid, ratio=1, action="BUY"), Leg(conid=second.conid, ratio=2, action="SELL"))
    said = desk.place(desk.ticket("BUY", 2, contract=None, legs=legs))
    told = [item.execution for item in executions(said)]
    whole = [item for item in told if item.is_combination]
    parts = [item for item in told if not item.is_combination]
    assert {item.exec_id.split(".")[2] for item in whole} == {"01"}
    assert {item.exec_id.split(".")[2] for item in parts} == {"02", "03"}
    assert len({item.perm_id for item in told}) == 1
    net = parts[0].price - 2 * parts[1].price
    assert whole[0].price == net
    held = {item.contract.conid: item.quantity for item in desk.broker.positions()}
    assert held == {first.conid: 2, second.conid: -4}


def test_a_combination_never_trades_beyond_its_net_limit(desk: Desk) -> None:
    """A debit limit below the market rests, and fills only at or below it."""
    first, second = desk.option(673), desk.option(675)
    legs = (Leg(conid=first.conid, ratio=1, action="BUY"), Leg(conid=second.conid, ratio=1, action="SELL"))
    net = desk.bid_ask(first)[1] - desk.bid_ask(second)[0]
    limit = net - Decimal("0.15")
    ticket = desk.order("BUY", 2, contract=None, legs=legs, order_type="LMT", limit_price=limit)
    assert desk.status(ticket) is Status.SUBMITTED
    desk.wait(3 * 3_600)
    prices = [item.execution.price for item in executions(desk.said) if item.execution.is_combination]
    assert prices and all(price <= limit for price in prices)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"limit_price": Decimal("1.005"), "order_type": "LMT"}, 110),
        ({"account": "U1"}, 321),
        ({"action": "HOLD"}, 321),
        ({"quantity": Decimal("0")}, 321),
        ({"quantity": Decimal("1.5")}, 321),
        ({"order_type": "LMT"}, 321),
        ({"order_type": "REL"}, 387),
        ({"tif": "OPG"}, 10052),
        ({"tif": "GTD"}, 321),
        ({"oca_type": 9}, 321),
        ({"parent_id": 99}, 135),
        ({"quantity": Decimal(90_000)}, 201),
        ({"contract": None, "legs": ()}, 321),
        ({"contract": None, "legs": (Leg(conid=1, ratio=1, action="BUY"),) * 2}, 200),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_code(
    desk: Desk, change: dict[str, object], code: int
) -> None:
    """The order is refused, nothing is executed, nothing is left working."""
    said = desk.place(replace(desk.ticket(), **change))  # type: ignore[arg-type]
    assert codes(said) == [code]
    assert not executions(said) and not desk.broker.open_orders(None)


def test_a_number_at_or_below_a_used_one_is_refused(desk: Desk) -> None:
    """103 for a number below the highest; 104 for changing a filled order; 103 for an ended one."""
    desk.order(order_id=5)
    assert codes(desk.place(desk.ticket(order_id=3))) == [103]
    assert codes(desk.place(desk.ticket(order_id=5))) == [104]
    resting = desk.order(order_id=6, order_type="LMT", limit_price=Decimal("0.05"))
    desk.cancel(6)
    assert codes(desk.place(resting)) == [103]
    assert desk.broker.next_order_id(CLIENT) == 7


def test_cancels_are_refused_by_what_the_order_is(desk: Desk) -> None:
    """10147 unknown, 161 filled, 10148 ended; a live one ends with notice 202."""
    filled = desk.order()
    resting = desk.order(order_type="LMT", limit_price=Decimal("0.05"))
    assert codes(desk.cancel(77)) == [10147]
    assert codes(desk.cancel(filled.order_id)) == [161]
    assert codes(desk.cancel(resting.order_id)) == [202]
    assert codes(desk.cancel(resting.order_id)) == [10148]


def test_a_fill_can_win_the_race_against_a_cancel(desk: Desk) -> None:
    """A cancel that takes time leaves the order working; then both ends are lawful and only one happens."""
    desk.broker.behave(desk.now, cancel_takes=timedelta(hours=2))
    bid, _ = desk.bid_ask()
    ticket = desk.order("BUY", 2, order_type="LMT", limit_price=bid)
    desk.cancel(ticket.order_id)
    assert desk.status(ticket) is Status.PENDING_CANCEL
    desk.wait(3 * 3_600)
    assert desk.status(ticket) is Status.FILLED
    assert 202 not in codes(desk.said)


def test_a_change_of_price_is_tried_at_once(desk: Desk) -> None:
    """A resting order moved to the ask trades there."""
    _, ask = desk.bid_ask()
    ticket = desk.order("BUY", 1, order_type="LMT", limit_price=Decimal("0.05"))
    desk.place(replace(ticket, limit_price=ask))
    assert desk.status(ticket) is Status.FILLED


def test_a_refused_change_leaves_the_order_as_it_was(desk: Desk) -> None:
    """Errors about a live order are not its end: a wrong increment, another contract, another group."""
    ticket = desk.order(order_type="LMT", limit_price=Decimal("0.05"), oca_group="a", oca_type=2)
    before = desk.broker.open_orders(None)
    assert codes(desk.place(replace(ticket, limit_price=Decimal("0.051")))) == [110]
    assert codes(desk.place(replace(ticket, contract=desk.option(675)))) == [105]
    assert codes(desk.place(replace(ticket, oca_group="b"))) == [10326]
    assert codes(desk.place(replace(ticket, oca_type=1))) == [10326]
    assert codes(desk.place(replace(ticket, quantity=Decimal("0.5")))) == [321]
    assert desk.broker.open_orders(None) == before


def test_a_change_that_is_not_transmitted_changes_nothing(desk: Desk) -> None:
    """The broker is silent and the old price stands."""
    ticket = desk.order(order_type="LMT", limit_price=Decimal("0.05"))
    assert not desk.place(replace(ticket, limit_price=Decimal("0.06"), transmit=False))
    assert desk.broker.open_orders(None)[0].ticket.limit_price == Decimal("0.05")


def test_what_if_binds_nothing_and_tells_margin(desk: Desk) -> None:
    """The answer has numbers, or none when the broker has none to give; the id stays free."""
    ticket = desk.ticket("SELL", 10, what_if=True)
    (answer,) = desk.place(ticket)
    assert isinstance(answer, WhatIf) and answer.margin.initial_change is not None
    assert answer.margin.initial_change > 100_000
    desk.broker.behave(desk.now, what_if_unset=True)
    (answer,) = desk.place(ticket)
    assert isinstance(answer, WhatIf) and answer.margin.initial_change is None
    assert not desk.broker.open_orders(None) and desk.broker.next_order_id(CLIENT) == 1


def test_rejections_to_come_are_used_up_by_the_next_orders(desk: Desk) -> None:
    """A rejection is 201 with its JSON and the state Inactive; a notice names an order that works on."""
    desk.broker.behave(
        desk.now,
        next_rejections=[Refusal(code=201, text="no", reject_json='{"1":{}}')],
        next_notices=[Refusal(code=2109, text="fine")],
    )
    said = desk.place(desk.ticket())
    assert isinstance(said[0], Refused) and said[0].reject_json == '{"1":{}}'
    assert isinstance(said[1], OrderTold) and said[1].order.status is Status.INACTIVE
    resting = desk.ticket(order_type="LMT", limit_price=Decimal("0.05"))
    assert codes(desk.place(resting)) == [2109]
    assert desk.status(resting) is Status.SUBMITTED


def test_an_order_by_hand_has_no_number_of_a_client(desk: Desk) -> None:
    """Client 0, number 0 and below, a permanent id of its own."""
    conid = desk.option().conid
    for _ in range(2):
        desk.heard(desk.broker.place_by_hand(ACCOUNT, conid, "BUY", Decimal(1), desk.now))
    told = [item.execution for item in executions(desk.said)]
    assert [(item.client_id, item.order_id) for item in told] == [(0, 0), (0, -1)]
    assert len({item.perm_id for item in told}) == 2 and desk.broker.next_order_id(CLIENT) == 1


def test_a_global_cancel_ends_everything_that_lives(desk: Desk) -> None:
    """Orders of every client and those placed by hand."""
    desk.order(order_type="LMT", limit_price=Decimal("0.05"))
    conid = desk.option().conid
    hand = desk.broker.place_by_hand(ACCOUNT, conid, "BUY", Decimal(1), desk.now, Decimal("0.05"))
    assert hand and len(desk.broker.open_orders(None)) == 2
    desk.heard(desk.broker.global_cancel(desk.now))
    assert not desk.broker.open_orders(None) and codes(desk.said) == [202, 202]


def test_shares_are_held_and_traded_early_by_those_who_may() -> None:
    """A limit order that may works before the bell; an order that may not waits for it."""
    desk = Desk()
    share = desk.share()
    desk.wait(2 * 86_400 + 22.5 * 3_600)  # Monday, half past eight in New York
    _, ask = desk.bid_ask(share)
    more = {"contract": share, "order_type": "LMT", "limit_price": ask + 1}
    early, later = desk.order("BUY", 100, outside_rth=True, **more), desk.order("BUY", 100, **more)
    assert desk.status(early) is Status.FILLED and desk.status(later) is Status.PRE_SUBMITTED
    desk.wait(3_700)
    assert desk.status(later) is Status.FILLED
    (held,) = desk.broker.positions()
    assert held.quantity == 200 and held.contract == share


def test_completed_orders_are_those_of_the_day(desk: Desk) -> None:
    """In the order of their end, with what was filled; none of the day before, none that still works."""
    first = desk.order("BUY", 300)
    desk.order("BUY", 1, order_type="LMT", limit_price=Decimal("0.05"))
    desk.cancel(first.order_id)
    desk.wait(1)
    filled = desk.order("SELL", 1)
    told = desk.broker.completed_orders()
    assert [view.ticket.order_id for view in told] == [first.order_id, filled.order_id]
    cancelled = told[0]
    assert 0 < cancelled.filled < 300 and cancelled.remaining == 300 - cancelled.filled
    desk.wait(86_400)
    assert desk.broker.completed_orders() == []


def test_no_state_leads_out_of_an_end(desk: Desk) -> None:
    """Filled, cancelled and inactive have no steps, and the engine refuses to take one."""
    assert {status for status in Status if not STEPS[status]} == {s for s in Status if s.is_done}
    desk.order()
    order = desk.broker.register.find(CLIENT, 1)
    assert order is not None
    with pytest.raises(ValueError, match="expected a step from Filled"):
        order.move(Status.CANCELLED)
