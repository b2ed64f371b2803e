"""Made-up fills for tests of the stores: few words for a fill, every field that matters in reach."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.model.fills import (
    CommissionFact,
    FillBatch,
    FillKind,
    FillRevision,
    RejectedRow,
    Side,
    Source,
    Venue,
)
from trading.model.instruments import Option, Right

ACCOUNT = "DU1"
DAY = date(2026, 7, 17)
NOON = datetime(2026, 7, 17, 16, 0, tzinfo=UTC)
RECEIVED = datetime(2026, 7, 18, 11, 0, tzinfo=UTC)


def option(strike: int = 30) -> Option:
    """A call on CZR."""
    return Option(
        symbol="CZR", expiry=date(2026, 8, 21), right=Right.CALL, strike=Decimal(strike), conid=893396239
    )


def fill(fill_id: str = "a.01", **changes: Any) -> FillRevision:
    """One live fill of 2 at 0.73; any field can be changed."""
    told: dict[str, Any] = {
        "venue": Venue.IBKR,
        "account": ACCOUNT,
        "fill_id": fill_id,
        "revision": 1,
        "source": Source.LIVE,
        "kind": FillKind.TRADE,
        "instrument": option(),
        "conid": 893396239,
        "side": Side.BUY,
        "quantity": Decimal(2),
        "price": Decimal("0.73"),
        "multiplier": Decimal(100),
        "currency": "USD",
        "fill_ts": NOON,
        "trade_date": DAY,
        "report_date": None,
        "session": DAY,
        "exec_id": f"{fill_id}.01",
        "order_id": "726326436",
        "raw": f'{{"id":"{fill_id}"}}',
    }
    return FillRevision(**{**told, **changes})


def fee(key: str, fill_id: str, amount: str, **changes: Any) -> CommissionFact:
    """One fee in dollars."""
    told: dict[str, Any] = {
        "venue": Venue.IBKR,
        "account": ACCOUNT,
        "commission_key": key,
        "fill_id": fill_id,
        "source": Source.STATEMENT,
        "amount": Decimal(amount),
        "currency": "USD",
        "session": DAY,
    }
    return CommissionFact(**{**told, **changes})


def batch(
    fills: Iterable[FillRevision] = (),
    commissions: Iterable[CommissionFact] = (),
    rejected: Iterable[RejectedRow] = (),
    **changes: Any,
) -> FillBatch:
    """A batch from the live stream."""
    told: dict[str, Any] = {"venue": Venue.IBKR, "source": Source.LIVE, "origin": "test"}
    return FillBatch(
        fills=tuple(fills), commissions=tuple(commissions), rejected=tuple(rejected), **{**told, **changes}
    )


def corrected_order() -> FillBatch:
    """The broker's real correction: 2 bought, cancelled, 1 + 1 booked; fees 1.3666, 0, -0.3333 and 0.3333."""
    first = fill("a.01", trade_id="T1", transaction_id="10", source=Source.STATEMENT)
    cancel = fill(
        "flex:11",
        kind=FillKind.CANCEL,
        revision=0,
        transaction_id="11",
        cancels_trade_id="T1",
        source=Source.STATEMENT,
        exec_id="",
    )
    again = fill(
        "a.01", revision=2, quantity=Decimal(1), trade_id="T1", transaction_id="12", source=Source.STATEMENT
    )
    second = fill(
        "b.01",
        quantity=Decimal(1),
        trade_id="T2",
        transaction_id="13",
        fill_ts=NOON + timedelta(seconds=99),
        source=Source.STATEMENT,
    )
    fees = [
        fee("a.01.01", "a.01", "1.3666"),
        fee("flex:11", "flex:11", "0"),
        fee("a.01.02", "a.01", "-0.3333"),
        fee("b.01.01", "b.01", "0.3333"),
    ]
    return batch([first, cancel, again, second], fees, source=Source.STATEMENT)
