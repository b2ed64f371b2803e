"""How options end: worthless, in cash, or in shares; the bookings that the broker makes after the close."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal

from simulation.sample_desk.contracts import Contract, share_of
from simulation.sample_desk.numbering import Ids
from simulation.sample_desk.trades import Order, Print, Trade, TradeKind
from trading.model.times import NEW_YORK

BOOKED_AT = time(16, 20)  # New York; the broker books expiries then, on early closes too
ZERO = Decimal(0)


def ending_of(
    ids: Ids, account: str, session: date, contract: Contract, held: int, close_cents: int
) -> Iterator[Trade]:
    """The bookings that end a signed holding of an expiring option; `close_cents` is its underlying's."""
    action = ids.action()
    intrinsic = contract.intrinsic_cents(close_cents)
    long = held > 0
    if not intrinsic:
        yield _booking(account, session, contract, TradeKind.EXPIRATION, -held, ZERO, action)
    elif contract.settles_in_cash:
        kind = TradeKind.CASH_EXERCISE if long else TradeKind.CASH_ASSIGNMENT
        yield _booking(account, session, contract, kind, -held, Decimal(intrinsic) / 100, action)
    else:
        yield from _delivery(account, session, contract, held, action)


def _delivery(account: str, session: date, contract: Contract, held: int, action: int) -> Iterator[Trade]:
    """Both legs of an exercise (held long) or assignment (held short), tied by one action."""
    if contract.underlying is None:
        raise ValueError(f"contract: expected an option, was {contract.symbol}")
    exercised = held > 0
    option_kind = TradeKind.EXERCISE if exercised else TradeKind.ASSIGNMENT
    share_kind = TradeKind.DELIVERY_EXERCISE if exercised else TradeKind.DELIVERY_ASSIGNMENT
    shares = held * contract.multiplier * (1 if contract.right == "C" else -1)
    strike = Decimal(contract.strike_cents) / 100
    yield _booking(account, session, contract, option_kind, -held, ZERO, action)
    yield _booking(account, session, share_of(contract.underlying), share_kind, shares, strike, action)


def _booking(
    account: str, session: date, contract: Contract, kind: TradeKind, signed: int, price: Decimal, action: int
) -> Trade:
    at = datetime.combine(session, BOOKED_AT, NEW_YORK).astimezone(UTC)
    quantity = Decimal(abs(signed))
    return Trade(
        account=account,
        session=session,
        contract=contract,
        kind=kind,
        side=1 if signed > 0 else -1,
        executed_at=at,
        order=Order(order_id=0, perm_id=0, client_id=0, reference="", placed_at=at, quantity=quantity),
        exchange="--",
        liquidity=0,
        prints=(Print(said_at=at, quantity=quantity, price=price, fee=ZERO),),
        action_id=action,
    )
