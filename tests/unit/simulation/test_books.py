"""The simulator's own first-in first-out books on small cases worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from simulation.sample_desk.books import Book
from simulation.sample_desk.contracts import UNDERLYINGS, Contract, ContractMaster, share_of
from simulation.sample_desk.month import book_session
from simulation.sample_desk.trades import Order, Print, Trade, TradeKind

APPLE = next(item for item in UNDERLYINGS if item.symbol == "AAPL")
START = datetime(2026, 10, 16, 14, 0, tzinfo=UTC)
CALL = ContractMaster().option(APPLE, date(2026, 10, 16), "C", 25_000)


def _trade(
    side: int,
    quantity: str,
    price: str,
    fee: str = "0",
    *,
    minute: int = 0,
    contract: Contract = CALL,
    kind: TradeKind = TradeKind.EXECUTION,
    action: int = 0,
) -> Trade:
    at = START + timedelta(minutes=minute)
    order = Order(order_id=1, perm_id=1, client_id=0, reference="", placed_at=at, quantity=Decimal(quantity))
    printed = Print(
        said_at=at,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        exec_id=f"0000e183.{minute:08x}.01.01" if kind is TradeKind.EXECUTION else "",
        transaction_id=minute,
    )
    return Trade(
        account="U1",
        session=START.date(),
        contract=contract,
        kind=kind,
        side=side,
        executed_at=at,
        order=order,
        exchange="CBOE",
        liquidity=2,
        prints=(printed,),
        action_id=action,
    )


def test_closing_realizes_net_of_both_fees() -> None:
    """Bought at 1.20 for 0.70, sold at 1.50 for 0.80: 30 less 1.50."""
    book = Book(account="U1")
    book.apply(_trade(1, "1", "1.20", "0.7"))
    assert book.apply(_trade(-1, "1", "1.50", "0.8", minute=1)).realized == Decimal("28.5")


def test_oldest_lot_goes_first_and_a_part_takes_its_part_of_the_fee() -> None:
    """Of 2 at 1 (fee 1) and 2 at 2 (fee 1), selling 3 at 3 takes the first whole and half the second."""
    book = Book(account="U1")
    book.apply(_trade(1, "2", "1", "1"))
    book.apply(_trade(1, "2", "2", "1", minute=1))
    effect = book.apply(_trade(-1, "3", "3", "0", minute=2))
    assert effect.realized == Decimal("900") - Decimal("201") - Decimal("200.5")
    assert book.position(CALL.conid) == 1


def test_last_part_of_a_lot_takes_the_remainder_of_its_fee() -> None:
    """Three thirds of a fee of 1 add up to 1."""
    book = Book(account="U1")
    book.apply(_trade(1, "3", "1", "1"))
    realized = [book.apply(_trade(-1, "1", "1", minute=minute)).realized for minute in (1, 2, 3)]
    assert sum(realized) == Decimal(-1)
    assert realized[0] == Decimal("-0.333333333")


def test_flip_through_zero_closes_and_opens() -> None:
    """Long 1, sell 3: one closes, two are short with their share of the fee."""
    book = Book(account="U1")
    book.apply(_trade(1, "1", "1"))
    effect = book.apply(_trade(-1, "3", "2", "3", minute=1))
    assert (effect.open_close, effect.realized) == ("C;O", Decimal(99))
    assert book.position(CALL.conid) == -2
    assert book.lots[CALL.conid][0].cash == Decimal(398)


def test_rebate_raises_what_is_realized() -> None:
    """A negative fee is money received."""
    book = Book(account="U1")
    book.apply(_trade(1, "1", "1", "-0.25"))
    assert book.apply(_trade(-1, "1", "1", "-0.35", minute=1)).realized == Decimal("0.60")


def test_exercise_realizes_nothing_and_moves_the_premium_into_the_shares() -> None:
    """A call bought at 3 with a fee of 1 and exercised at 250: 100 shares cost 25,301."""
    book = Book(account="U1")
    option = _trade(-1, "1", "0", minute=1, kind=TradeKind.EXERCISE, action=9)
    delivery = _trade(
        1, "100", "250", minute=2, contract=share_of(APPLE), kind=TradeKind.DELIVERY_EXERCISE, action=9
    )
    effects = book_session(book, [_trade(1, "1", "3", "1"), option, delivery])
    assert [effect.realized for effect in effects] == [0, 0, 0]
    assert book.lots[APPLE.conid][0].cash == Decimal(-25_301)
    assert effects[2].cost == Decimal(25_301)


def test_assignment_against_held_shares_realizes_with_the_premium() -> None:
    """Shares bought at 240, a call sold at 2 and assigned at 250: 1,000 and the premium of 200."""
    book = Book(account="U1")
    shares = share_of(APPLE)
    trades = [
        _trade(1, "100", "240", contract=shares),
        _trade(-1, "1", "2", minute=1),
        _trade(1, "1", "0", minute=2, kind=TradeKind.ASSIGNMENT, action=9),
        _trade(-1, "100", "250", minute=3, contract=shares, kind=TradeKind.DELIVERY_ASSIGNMENT, action=9),
    ]
    effects = book_session(book, trades)
    assert effects[2].realized == 0
    assert effects[3].realized == Decimal(1_200)
    assert effects[3].cost == Decimal(-24_000)


def test_wrong_multiplier_changes_the_money() -> None:
    """The same trades with another contract size realize another figure."""
    opening, closing = _trade(1, "1", "1"), _trade(-1, "1", "2", minute=1)
    right, wrong = Book(account="U1"), Book(account="U1")
    sizes = {0: 10}
    assert book_session(right, [opening, closing])[1].realized == 100
    assert book_session(wrong, [opening, closing], sizes)[1].realized == 10
