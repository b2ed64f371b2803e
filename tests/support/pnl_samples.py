"""Made-up fills for tests of the engine: a few words for a trade, a booking, a delivery."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.model.fills import Fill, FillKind, FillRevision, Side, Source, Venue
from trading.model.instruments import Equity, Event, Instrument, Option, Perpetual, Right
from trading.pnl.book import Book, SessionResult
from trading.pnl.engine import SessionInputs, advance
from trading.settings import LotMethod

FRIDAY = date(2026, 7, 17)
MONDAY = date(2026, 7, 20)
NOON = datetime(2026, 7, 17, 16, 0, tzinfo=UTC)
CALL = Option(symbol="CLF", expiry=FRIDAY, right=Right.CALL, strike=Decimal("11.5"), conid=1001)
PUT = Option(symbol="CLF", expiry=FRIDAY, right=Right.PUT, strike=Decimal("7.5"), conid=1002)
SHARE = Equity(symbol="CLF", conid=2001)
COIN = Perpetual(
    venue="kraken", symbol="PI_XBTUSD", inverse=True, settlement_currency="XBT", underlying="XBT"
)
RAIN = Event(venue="kalshi", ticker="RAIN-26JUL17-NYC")


def fill(number: int, quantity: object, price: object, instrument: Instrument = CALL, **changes: Any) -> Fill:
    """Trade number `number`: a signed quantity at a price; `fee` and `fees` as wanted, any field can be
    changed.
    """
    signed = Decimal(str(quantity))
    fees: Mapping[str, Decimal] = changes.pop("fees", {})
    fee = changes.pop("fee", None)
    session = changes.get("session", FRIDAY)
    at = NOON + timedelta(days=(session - FRIDAY).days, seconds=number)
    told: dict[str, Any] = {
        "venue": Venue.IBKR, "account": "U1", "fill_id": f"f{number}", "revision": 1, "source":
        Source.STATEMENT, "kind": FillKind.TRADE, "instrument": instrument, "conid": getattr(instrument,
        "conid", None), "side": Side.BUY if signed >= 0 else Side.SELL, "quantity": abs(signed), "price":
        Decimal(str(price)), "multiplier": Decimal(instrument.contract_size), "currency": instrument.currency,
        "fill_ts": at, "trade_date": session, "report_date": session, "session": session, "transaction_id":
        str(number),
    }  # fmt: skip
    revision = FillRevision(**{**told, **changes})
    costs = dict(fees) if fee is None else {revision.currency: Decimal(str(fee))}
    return Fill(
        revision=revision, fees=costs, fifo_ts=revision.fill_ts, fifo_key=f"{number:020d}:{revision.fill_id}"
    )


def booking(
    number: int, quantity: object, price: object, instrument: Instrument, *notes: str, **more: Any
) -> Fill:
    """A booking of the broker: expiry (Ep), exercise (Ex), assignment (A), or its delivery."""
    return fill(number, quantity, price, instrument, kind=FillKind.BOOKING, notes=notes, **more)


def run(
    fills: Iterable[Fill], book: Book | None = None, method: LotMethod = LotMethod.FIFO, **inputs: Any
) -> tuple[Book, SessionResult]:
    """One session of an account."""
    session = inputs.pop("session", FRIDAY)
    bulk_from = inputs.pop("bulk_from", 10**9)
    facts = SessionInputs(session=session, fills=list(fills), **inputs)
    return advance(book or Book(venue=Venue.IBKR, account="U1"), facts, method, bulk_from)


def realized(result: SessionResult) -> list[Decimal]:
    """What each match realized, in order."""
    return [match.realized for match in result.matches]


def named(told: Fill, **changes: Any) -> Fill:
    """The fill with other fields of its revision."""
    return replace(told, revision=replace(told.revision, **changes))
