"""Orders put together from what the broker tells, in whatever order it tells it."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from adapters.ibkr.session.heard import OrderHeard, StatusHeard
from adapters.ibkr.session.orders import KnownOrders
from trading.model.broker import BrokerOrder

NOTHING = Decimal(0)


def heard(status: str = "PreSubmitted", **changes: Any) -> OrderHeard:
    """An open-order message."""
    order = BrokerOrder(
        account="DU1",
        perm_id="600",
        order_ref="r",
        client_id=11,
        order_id=5,
        parent_perm_id="",
        conid=810_000_001,
        instrument_id="OPT:SPY   261113C00670000",
        symbol="SPY",
        side="BUY",
        order_type="LMT",
        quantity=Decimal(4),
        limit_price=Decimal("1.25"),
        stop_price=None,
        time_in_force="DAY",
        oca_group="",
        oca_type=0,
        status=status,
        filled=NOTHING,
        remaining=Decimal(4),
        average_price=None,
    )
    return OrderHeard(order=replace(order, **changes), parent_order_id=0, native=(object(), object()))


def status(name: str, filled: int = 0, **changes: Any) -> StatusHeard:
    """A status message."""
    told = StatusHeard(
        client_id=11,
        order_id=5,
        perm_id="600",
        parent_order_id=0,
        status=name,
        filled=Decimal(filled),
        remaining=Decimal(4 - filled),
        average_price=Decimal("1.25") if filled else None,
        why_held="",
    )
    return replace(told, **changes)


def after(*told: OrderHeard | StatusHeard) -> tuple[KnownOrders, list[BrokerOrder]]:
    """What is known after these messages, and what of it was news."""
    orders = KnownOrders()
    news = [
        orders.take_order(item) if isinstance(item, OrderHeard) else orders.take_status(item) for item in told
    ]
    return orders, [item for item in news if item is not None]


def test_an_order_and_its_status_are_one_order() -> None:
    """Contract and price from the one, filled and average from the other."""
    _, news = after(heard(), status("Submitted", 1))
    assert [(item.status, item.filled, item.remaining) for item in news] == [
        ("PreSubmitted", NOTHING, Decimal(4)),
        ("Submitted", Decimal(1), Decimal(3)),
    ]
    assert news[-1].limit_price == Decimal("1.25")


def test_a_status_before_its_order_waits_for_it() -> None:
    """It names no contract, so alone it is nothing; with its order it counts."""
    _, news = after(status("Submitted", 1), heard("Submitted"))
    assert [(item.status, item.filled) for item in news] == [("Submitted", Decimal(1))]


def test_what_is_told_twice_is_news_once() -> None:
    """Repeated messages change nothing."""
    _, news = after(heard(), status("Submitted"), status("Submitted"), heard("Submitted"))
    assert len(news) == 2


@pytest.mark.parametrize("late", list(permutations(["Submitted", "PreSubmitted", "PendingCancel"])))
def test_an_order_that_is_over_does_not_come_back(late: tuple[str, ...]) -> None:
    """Statuses that come late or again leave a filled order filled."""
    orders, _ = after(heard(), status("Filled", 4), *[status(name, 1) for name in late], heard("Submitted"))
    known = orders.with_perm_id("600")
    assert known is not None and (known.order.status, known.order.filled) == ("Filled", Decimal(4))


def test_an_open_order_message_alone_does_not_say_filled() -> None:
    """The message says Filled without how much: the status behind it says both."""
    _, news = after(heard(), heard("Filled"), status("Filled", 4))
    assert [(item.status, item.filled) for item in news] == [
        ("PreSubmitted", NOTHING),
        ("Filled", Decimal(4)),
    ]


def test_an_inactive_order_may_come_back() -> None:
    """Held back by the broker is not over."""
    orders, _ = after(heard(), status("Inactive"), status("Submitted"))
    known = orders.with_perm_id("600")
    assert known is not None and known.order.status == "Submitted"


def test_a_number_that_names_another_order_now_is_another_order() -> None:
    """A restarted gateway counts from below: the same number under another perm_id takes nothing over."""
    orders, _ = after(heard(), status("Filled", 4), heard(perm_id="601", order_ref="other"))
    first, second = orders.with_perm_id("600"), orders.with_perm_id("601")
    assert first is not None and first.order.status == "Filled"
    assert second is not None and second.order.status == "PreSubmitted"
    assert orders.numbered(11, 5) is second


def test_numbers_are_forgotten_with_their_connection() -> None:
    """What stays is the broker's perm_id and our order_ref."""
    orders, _ = after(heard())
    orders.forget_numbers()
    assert orders.numbered(11, 5) is None
    known = orders.with_ref("r")
    assert known is not None and known.native is None


def test_a_completed_order_keeps_what_was_known_of_it() -> None:
    """Its message has no number, no client, and no quantity."""
    ended = heard("Filled", order_id=0, client_id=0, quantity=Decimal(4), filled=Decimal(4), limit_price=None)
    _, news = after(heard(), replace(ended, completed=True, native=None))
    last = news[-1]
    assert (last.status, last.filled, last.remaining) == ("Filled", Decimal(4), NOTHING)
    assert (last.client_id, last.order_id, last.limit_price) == (11, 5, Decimal("1.25"))


def test_a_child_names_its_parent_by_perm_id() -> None:
    """The message says the parent's number of this connection."""
    child = heard(perm_id="601", order_id=6, order_ref="child")
    orders, _ = after(heard(), replace(child, parent_order_id=5))
    known = orders.with_ref("child")
    assert known is not None and known.order.parent_perm_id == "600"


def test_orders_placed_by_hand_are_told_apart_by_perm_id() -> None:
    """They all have the number 0."""
    by_hand = [heard(perm_id=perm_id, order_id=0, client_id=0, order_ref="") for perm_id in ("7", "8")]
    orders, news = after(*by_hand)
    assert len(news) == 2
    assert orders.with_perm_id("7") is not orders.with_perm_id("8")
