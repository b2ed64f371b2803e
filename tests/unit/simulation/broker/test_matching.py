"""The matching model, number by number: the far side, the queue, triggers, trailing."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from simulated_broker import Desk

from simulation.broker.matching import (
    ADDED,
    TOOK,
    Deal,
    is_beyond,
    queue_at,
    rested,
    slack_cents,
    taken,
    trailed_stop,
    trigger_price,
)
from simulation.broker.orders import Part, Working
from simulation.market.parts import Touch, Traded

TOUCH = Touch(bid=180, ask=185, bid_size=10, ask_size=6)


def _order(action: str = "BUY", quantity: int = 5, **more: object) -> Working:
    """An order as the desk holds it, with its prices set."""
    desk = Desk()
    ticket = desk.ticket(action, quantity, **more)
    assert ticket.contract is not None
    part = Part(contract=ticket.contract, ratio=1, side=1 if action == "BUY" else -1)
    order = Working(
        ticket=ticket, perm_id=1, place=0, placed_at=datetime(2026, 11, 13, tzinfo=UTC), parts=(part,)
    )
    order.set_prices()
    return order


def _limit(action: str, dollars: str, quantity: int = 5) -> Working:
    return _order(action, quantity, order_type="LMT", limit_price=Decimal(dollars))


def _print(cents: int, size: int) -> Traded:
    return Traded(second=0, cents=cents, size=size, side=1, exchange="CBOE")


@pytest.mark.parametrize(
    ("side", "limit", "wanted", "used", "deal"),
    [
        (1, None, 4, 0, Deal(4, 185, TOOK)),
        (1, None, 9, 0, Deal(6, 185, TOOK)),
        (1, None, 9, 5, Deal(1, 185, TOOK)),
        (1, None, 9, 6, None),
        (1, 185, 4, 0, Deal(4, 185, TOOK)),
        (1, 184, 4, 0, None),
        (-1, None, 12, 0, Deal(10, 180, TOOK)),
        (-1, 180, 1, 0, Deal(1, 180, TOOK)),
        (-1, 181, 1, 0, None),
    ],
)
def test_the_far_side_is_taken_up_to_its_size_and_the_limit(
    side: int, limit: int | None, wanted: int, used: int, deal: Deal | None
) -> None:
    """Never more than is left of the touch, never beyond the limit."""
    assert taken(side, limit, wanted, TOUCH, used) == deal


def test_nothing_is_sold_where_nobody_bids() -> None:
    """A touch without a bid has no far side for a sale."""
    assert taken(-1, None, 1, Touch(bid=0, ask=5, bid_size=0, ask_size=9), 0) is None


@pytest.mark.parametrize(
    ("trades", "queue", "filled", "left"),
    [
        ([], 10, 0, 10),
        ([_print(180, 4)], 10, 0, 6),
        ([_print(180, 4), _print(180, 8)], 10, 2, 0),
        ([_print(180, 30)], 10, 5, 0),
        ([_print(179, 2)], 10, 2, 0),
        ([_print(181, 50)], 10, 0, 10),
        ([_print(180, 3)], None, 0, 7),
    ],
)
def test_a_resting_order_waits_for_the_queue_in_front_of_it(
    trades: list[Traded], queue: int | None, filled: int, left: int
) -> None:
    """Prints at the price take the queue first, prints through it do not ask."""
    order = _limit("BUY", "1.80")
    order.queue_ahead = queue
    deal, after = rested(order, TOUCH, 0, trades)
    assert (deal.quantity if deal else 0, after) == (filled, left)
    assert deal is None or (deal.cents, deal.liquidity) == (180, ADDED)


def test_a_market_that_comes_over_a_resting_order_trades_at_the_orders_price() -> None:
    """The ask falls below a bid that was there first: it trades at the bid's limit."""
    deal, _ = rested(_limit("BUY", "1.90"), TOUCH, 0, [])
    assert deal == Deal(5, 190, ADDED)


@pytest.mark.parametrize(
    ("side", "limit", "queue"), [(1, 180, 10), (1, 181, 0), (1, 179, None), (-1, 185, 6), (-1, 186, None)]
)
def test_the_queue_is_what_stood_at_the_price(side: int, limit: int, queue: int | None) -> None:
    """All of the touch's size at the touch, none inside it, unknown behind it."""
    assert queue_at(side, limit, TOUCH) == queue


@pytest.mark.parametrize(
    ("method", "last", "expected"),
    [
        ("", None, (185, 2)),
        ("1", None, (185, 2)),
        ("4", None, (185, 1)),
        ("2", 170, (170, 1)),
        ("3", 170, (170, 2)),
        ("7", 170, (170, 1)),
        ("7", None, (185, 1)),
        ("8", None, (182, 1)),
    ],
)
def test_a_stop_looks_where_its_trigger_method_says(
    method: str, last: int | None, expected: tuple[int, int]
) -> None:
    """Options by two touches unless the order asks for the last trade, one touch, or the middle."""
    extras = {"triggerMethod": method} if method else {}
    order = _order("SELL", 1, order_type="STP", aux_price=Decimal("1.75"), extras=extras)
    assert trigger_price(order, TOUCH, last) == expected


def test_a_share_stop_looks_at_the_last_trade() -> None:
    """The default of shares."""
    order = _order("SELL", 1, contract=Desk().share(), order_type="STP", aux_price=Decimal(600))
    assert trigger_price(order, TOUCH, 170) == (170, 1)
    assert trigger_price(order, TOUCH, None) == (None, 1)


@pytest.mark.parametrize(
    ("action", "price", "beyond"),
    [
        ("SELL", 175, True),
        ("SELL", 176, False),
        ("BUY", 175, True),
        ("BUY", 174, False),
        ("BUY", None, False),
    ],
)
def test_a_stop_is_reached_from_its_own_side(action: str, price: int | None, beyond: bool) -> None:
    """A sale's from above, a purchase's from below."""
    order = _order(action, 1, order_type="STP", aux_price=Decimal("1.75"))
    assert is_beyond(order, price) is beyond


@pytest.mark.parametrize(
    ("action", "stop", "price", "moved"),
    [
        ("SELL", None, 180, 165),
        ("SELL", 165, 190, 175),
        ("SELL", 165, 170, 165),
        ("BUY", None, 180, 195),
        ("BUY", 195, 170, 185),
        ("BUY", 195, 190, 195),
        ("SELL", 165, None, 165),
    ],
)
def test_a_trailing_stop_only_comes_closer(
    action: str, stop: int | None, price: int | None, moved: int
) -> None:
    """By the amount from the best price that was seen."""
    order = _order(action, 1, order_type="TRAIL", aux_price=Decimal("0.15"))
    order.stop_cents = stop
    assert trailed_stop(order, price) == moved


def test_a_trailing_percent_is_of_the_price() -> None:
    """Ten percent of 1.80 is 18 cents."""
    order = _order("SELL", 1, order_type="TRAIL", trailing_percent=Decimal(10))
    assert trailed_stop(order, 180) == 162


def test_only_what_is_far_away_sleeps() -> None:
    """The farther the longer; at the touch, combinations and trailing stops never."""
    near, far = _limit("BUY", "1.80"), _limit("BUY", "0.20")
    assert slack_cents(near, TOUCH) == 0 < slack_cents(far, TOUCH)
    stop = _order("SELL", 1, order_type="STP", aux_price=Decimal("0.20"))
    assert slack_cents(stop, TOUCH) == slack_cents(far, TOUCH)
    stop.triggered = True
    assert slack_cents(stop, TOUCH) == 0
    assert slack_cents(_order("SELL", 1, order_type="TRAIL", aux_price=Decimal(1)), TOUCH) == 0
