"""Who trades at what price: limits, triggers, trailing stops, the queue. Cents in, cents out, no state kept.

The model, as simple as it can be without being kind:
- A market order, and a limit order that arrives marketable, takes the far side of the touch and never
  more than its size in one second; what is left goes on in the next second at the touch of then.
- A resting limit order trades at its own limit: when the far side comes to it (up to that side's size), or
  when a print goes through it, or when a print at its price is larger than the queue in front of it. The
  queue is the size that stood at the price when the order came, none when the order bettered the touch.
- Nothing ever trades through a limit.
- A stop triggers on two consecutive touches (double bid/ask, the broker's rule for US options) or on the
  last trade (shares); the trigger method of the order can say otherwise.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from simulation.broker.orders import Working
from simulation.market.parts import Touch, Traded
from simulation.market.rules import rule_of

ADDED, TOOK = 1, 2  # liquidity codes
DOUBLE = 2
FLICKER_STEPS = 3  # increments by which a touch changes without the spot
DEFAULT_METHOD, DOUBLE_TOUCH, LAST, DOUBLE_LAST, TOUCH = 0, 1, 2, 3, 4
LAST_OR_TOUCH, MIDDLE = 7, 8
PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class Deal:
    """What an order trades in this second."""

    quantity: int
    cents: int
    liquidity: int


def taken(side: int, limit_cents: int | None, wanted: int, touch: Touch, used: int) -> Deal | None:
    """What an arriving order takes from the far side, of which `used` is gone already."""
    price, size = (touch.ask, touch.ask_size) if side > 0 else (touch.bid, touch.bid_size)
    left = size - used
    if not price or left <= 0 or (limit_cents is not None and side * (price - limit_cents) > 0):
        return None
    return Deal(min(wanted, left), price, TOOK)


def rested(
    order: Working, touch: Touch, used: int, trades: Iterable[Traded]
) -> tuple[Deal | None, int | None]:
    """What a resting limit order trades, and the queue in front of it afterwards."""
    limit, side, wanted = order.limit_cents, order.side, int(order.remaining)
    if limit is None:
        raise ValueError(f"limit: expected a limit order, was {order.ticket.order_type}")
    crossed = taken(side, limit, wanted, touch, used)
    if crossed is not None:
        return Deal(crossed.quantity, limit, ADDED), 0
    queue = order.queue_ahead if order.queue_ahead is not None else queue_at(side, limit, touch)
    got = 0
    for trade in trades:
        through = side * (limit - trade.cents)
        if through > 0:
            got, queue = got + trade.size, 0
        elif through == 0 and queue is not None:
            got += max(0, trade.size - queue)
            queue = max(0, queue - trade.size)
    return (Deal(min(wanted, got), limit, ADDED) if got else None), queue


def queue_at(side: int, limit_cents: int, touch: Touch) -> int | None:
    """Size in front of a new order at its price; None while the price is behind the touch."""
    near, size = (touch.bid, touch.bid_size) if side > 0 else (touch.ask, touch.ask_size)
    better = side * (limit_cents - near)
    if better > 0:
        return 0
    return size if better == 0 else None


def trigger_price(order: Working, touch: Touch, last_cents: int | None) -> tuple[int | None, int]:
    """The price that is compared with the stop, and how many times in a row it must be there."""
    contract = order.parts[0].contract
    method = int(order.ticket.extras.get("triggerMethod") or 0)
    if method == DEFAULT_METHOD:
        method = DOUBLE_TOUCH if contract.asset == "OPT" else LAST
    near = (touch.bid or None) if order.side > 0 else touch.ask
    if method in (DOUBLE_TOUCH, TOUCH):
        return near, DOUBLE if method == DOUBLE_TOUCH else 1
    if method in (LAST, DOUBLE_LAST):
        return last_cents, DOUBLE if method == DOUBLE_LAST else 1
    if method == MIDDLE:
        return (touch.bid + touch.ask) // 2, 1
    both = [price for price in (near, last_cents) if price is not None]
    return ((max(both) if order.side > 0 else min(both)) if both else None), 1


def is_beyond(order: Working, price: int | None) -> bool:
    """Whether a price is at or beyond the stop."""
    return price is not None and order.stop_cents is not None and order.side * (price - order.stop_cents) >= 0


def trailed_stop(order: Working, price: int | None) -> int | None:
    """The stop after the market moved: it follows by the trailing amount and never goes back."""
    if price is None:
        return order.stop_cents
    amount = order.ticket.aux_price
    percent = order.ticket.trailing_percent
    away = int(amount * 100) if amount is not None else int(price * (percent or Decimal(0)) / PERCENT)
    moved = price + order.side * away
    if order.stop_cents is None:
        return moved
    return min(order.stop_cents, moved) if order.side > 0 else max(order.stop_cents, moved)


def slack_cents(order: Working, touch: Touch) -> int:
    """How far the touch may move before a resting order or a stop could trade; 0 is "watch each second".

    Only saves work: the order sleeps while the market cannot come so far.
    """
    if order.is_combination or order.kind.trails:
        return 0
    waits = order.kind.waits_for_trigger and not order.triggered
    level = order.stop_cents if waits else order.limit_cents
    if level is None:
        return 0
    is_below = (order.side > 0) != waits
    away = touch.bid - level if is_below else level - touch.ask
    flicker = FLICKER_STEPS * rule_of(order.ticket.contract).increment(touch.ask)
    return max(0, away - flicker)
