"""Kalshi settlements: the end of a market books the held contracts away at 1 or 0, and no fill tells it.

A settlement becomes a booking that closes the net position (YES less NO) at what YES is worth: 1, 0, or
`value` cents where a market settles between. The venue's own `revenue` must be what the contracts then pay:
all that the row counts, or only those of the net position, since the venue returns the dollar of a pair of
YES and NO when the pair is made and still counts both. Where it is neither, the row is refused, for either it
or our reading of it is wrong. `revenue` and `value` are cents and costs are dollars, in one row. `fee_cost`
repeats the fees of the fills and is left aside. Of a void market every contract is returned at its cost: it
is booked at the average of the side that was held, and refused by name where both were.
"""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from adapters.venue.payload import JsonObject, first_present, text_field
from adapters.venue.readings import Reading
from trading.calendar import session_on_or_after, trade_date_of
from trading.errors import InvalidFieldError
from trading.model.fills import FillKind, FillRevision, Side, Source, Venue
from trading.model.instruments import Event
from trading.model.money import PRICE_PLACES, parse_decimal
from trading.model.times import from_iso

ID_PREFIX = "settlement:"
CENTS = Decimal(100)
VOID = "void"
PAYOUTS = {"yes": Decimal(1), "no": Decimal(0)}
REVENUE_TOLERANCE_CENTS = Decimal(1)  # whole cents are printed, fractional contracts are held


def is_settlement(row: JsonObject) -> bool:
    """Whether a row tells the end of a market and not a fill."""
    return "market_result" in row


def read_settlement(row: JsonObject, raw: str, account: str, source: Source) -> Reading | None:
    """Read one settlement; None where nothing was held. Raises InvalidFieldError naming the field."""
    ticker = text_field(row, "ticker", "market_ticker")
    if not ticker:
        raise InvalidFieldError("ticker", "a market", row.get("ticker"))
    instrument = Event(venue="kalshi", ticker=ticker)
    yes, no = _held(row, "yes"), _held(row, "no")
    payout = _payout(row, yes, no)
    pairs = min(yes, no)
    _check_revenue(row, yes * payout + no * (1 - payout), pairs)
    net = yes - no
    if net == 0:
        return None
    moment = _moment(row)
    trade_date = trade_date_of(Venue.KALSHI, moment)
    fill_id = f"{ID_PREFIX}{instrument.ticker}"
    fill = FillRevision(
        venue=Venue.KALSHI,
        account=account,
        fill_id=fill_id,
        revision=0,
        source=source,
        kind=FillKind.BOOKING,
        instrument=instrument,
        conid=None,
        side=Side.SELL if net > 0 else Side.BUY,
        quantity=abs(net),
        price=payout,
        multiplier=instrument.contract_size,
        currency=instrument.currency,
        fill_ts=moment,
        trade_date=trade_date,
        report_date=None,
        session=session_on_or_after(trade_date),
        exec_id=fill_id,
        open_close="C",
        raw=raw,
    )
    return Reading(fill, None)


def _held(row: JsonObject, outcome: str) -> Decimal:
    name, value = first_present(row, f"{outcome}_count_fp", f"{outcome}_count")
    count = Decimal(0) if value is None else parse_decimal(name, value)
    if count < 0:
        raise InvalidFieldError(name, "zero or a positive number", value)
    return count


def _payout(row: JsonObject, yes: Decimal, no: Decimal) -> Decimal:
    """What YES is worth in the end."""
    told = row.get("market_result")
    result = told.strip().lower() if isinstance(told, str) else ""
    payout = PAYOUTS.get(result)
    if payout is not None:
        return payout
    if result == VOID:
        return _cost(row, yes, no)
    value = row.get("value")
    if result != "scalar" or value is None:
        raise InvalidFieldError("market_result", "yes, no or void, or scalar with a value", told)
    payout = parse_decimal("value", value) / CENTS
    if not 0 <= payout <= 1:
        raise InvalidFieldError("value", "0 to 100 cents", value)
    return payout


def _cost(row: JsonObject, yes: Decimal, no: Decimal) -> Decimal:
    """What YES was bought for on average, or what NO leaves of a dollar."""
    if yes and no:
        raise InvalidFieldError("market_result", "a void market of which one side was held", VOID)
    if not yes and not no:
        return Decimal(0)
    outcome, count = ("yes", yes) if yes else ("no", no)
    name, value = first_present(row, f"{outcome}_total_cost_dollars", f"{outcome}_total_cost")
    cost = parse_decimal(name, value) if name.endswith("_dollars") else parse_decimal(name, value) / CENTS
    each = (cost / count).quantize(Decimal(1).scaleb(-PRICE_PLACES), ROUND_HALF_EVEN)
    if not 0 <= each <= 1:
        raise InvalidFieldError(name, f"the cost of {count} contracts of a dollar at most", value)
    return each if yes else 1 - each


def _check_revenue(row: JsonObject, paid: Decimal, pairs: Decimal) -> None:
    """Of a pair one contract pays a dollar, whatever the result: told at the end, or returned before."""
    told = row.get("revenue")
    if told is None:
        return
    cents = parse_decimal("revenue", told)
    expected = [paid * CENTS, (paid - pairs) * CENTS]
    if all(abs(cents - each) >= REVENUE_TOLERANCE_CENTS for each in expected):
        words = " or ".join(map(str, dict.fromkeys(expected)))
        raise InvalidFieldError("revenue", f"{words} cents, what the held contracts pay", told)


def _moment(row: JsonObject) -> datetime:
    value = row.get("settled_time")
    if not isinstance(value, str):
        raise InvalidFieldError("settled_time", "an ISO 8601 time with a zone", value)
    return from_iso("settled_time", value.strip())
