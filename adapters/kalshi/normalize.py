"""Kalshi fills and settlements, from REST answers and socket messages, as one batch of the house's fills.

YES and NO are one market, kept as YES: buying NO at p is selling YES at 1 - p, and selling NO is buying
YES. The venue says the direction in two ways, of which a row may carry both: ``action`` with ``side``
(buy or sell, of yes or no), and ``outcome_side`` or ``book_side`` (yes and bid: exposure to YES was
bought; no and ask: it was sold). Where they contradict each other the row is refused, and so it is where
``yes_price`` and ``no_price`` do not add up to one.

The id is ``fill_id``, else ``trade_id``, its older name. Counts may be fractional (``count_fp``). A fee
is positive for a cost. Prices come as dollars in text, or as whole cents in the older fields.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from adapters.kalshi.settlements import is_settlement, read_settlement
from adapters.venue.payload import JsonObject, first_present, text_field
from adapters.venue.readings import UNNAMED, Reading, read_batch, read_fee
from trading.calendar import session_on_or_after, trade_date_of
from trading.errors import InvalidFieldError
from trading.model.fills import FillBatch, FillKind, FillRevision, Side, Source, Venue
from trading.model.instruments import Event
from trading.model.money import parse_decimal
from trading.model.times import from_epoch, from_iso

SUBACCOUNTS = ("subaccount_number", "subaccount")  # by REST, and by the socket: one fill has one account
REFUSAL = frozenset({"code", "message"})
ONE = Decimal(1)
CENTS = Decimal(100)
BY_ACTION = {
    ("buy", "yes"): Side.BUY,
    ("sell", "no"): Side.BUY,
    ("sell", "yes"): Side.SELL,
    ("buy", "no"): Side.SELL,
}
BY_DIRECTION = {"yes": Side.BUY, "bid": Side.BUY, "no": Side.SELL, "ask": Side.SELL}
DOLLARS = {"yes": ("yes_price_dollars", "yes_price_fixed"), "no": ("no_price_dollars", "no_price_fixed")}


def normalize(payload: bytes | str, *, account: str, source: Source, origin: str) -> FillBatch:
    """Read a REST answer, a socket message, or a list of these or of fills.

    `account` is the desk's name of the account; fills of a numbered subaccount are kept as
    ``account/number``. Never raises for what the payload says.
    """
    return read_batch(
        Venue.KALSHI,
        payload,
        account=account,
        source=source,
        origin=origin,
        rows_of=rows_of,
        read_row=read_row,
    )


def rows_of(envelope: JsonObject) -> Sequence[object] | None:
    """The fills of an answer or message, none if it is about something else; None for what is a row.

    A refusal raises with its words: ``error``, or ``code`` and ``message``; ``type`` error of the socket.
    """
    if envelope.get("error") is not None:
        raise InvalidFieldError("error", "an answer without error", envelope["error"])
    if envelope.get("type") == "error" or envelope.keys() >= REFUSAL:
        raise InvalidFieldError("error", "an answer without error", dict(envelope))
    for name in ("fills", "settlements"):
        if name in envelope:
            rows = envelope[name]
            if not isinstance(rows, list):
                raise InvalidFieldError(name, "a list", rows)
            return rows
    if "type" in envelope and ("msg" in envelope or "sid" in envelope):
        return (envelope.get("msg"),) if envelope["type"] == "fill" else ()
    return None


def read_row(row: JsonObject, raw: str, account: str, source: Source) -> Reading | None:
    """Read one fill or settlement; raises InvalidFieldError naming the field."""
    if is_settlement(row):
        return read_settlement(row, raw, account, source)
    instrument = read_market(row)
    fill_id = text_field(row, "fill_id", "trade_id")
    moment = read_time(row)
    trade_date = trade_date_of(Venue.KALSHI, moment)
    fill = FillRevision(
        venue=Venue.KALSHI,
        account=read_account(row, account),
        fill_id=fill_id or UNNAMED,
        revision=0,
        source=source,
        kind=FillKind.TRADE,
        instrument=instrument,
        conid=None,
        side=read_side(row),
        quantity=_count(row),
        price=read_yes_price(row),
        multiplier=instrument.contract_size,
        currency=instrument.currency,
        fill_ts=moment,
        trade_date=trade_date,
        report_date=None,
        session=session_on_or_after(trade_date),
        exec_id=fill_id,
        order_id=text_field(row, "order_id"),
        order_ref=text_field(row, "client_order_id"),
        trade_id=text_field(row, "trade_id"),
        liquidity=_liquidity(row),
        raw=raw,
    )
    return Reading(fill, read_fee("fee_cost", row.get("fee_cost"), instrument.currency))


def read_market(row: JsonObject) -> Event:
    """The market of a row, as YES."""
    ticker = text_field(row, "ticker", "market_ticker")
    if not ticker:
        raise InvalidFieldError("ticker", "a market", row.get("ticker"))
    return Event(venue="kalshi", ticker=ticker)


def read_account(row: JsonObject, account: str) -> str:
    """The account, with the number of a subaccount behind it."""
    told = {name: row[name] for name in SUBACCOUNTS if row.get(name) is not None}
    for name, number in told.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise InvalidFieldError(name, "zero or a positive number", number)
    if len(set(told.values())) > 1:
        raise InvalidFieldError(SUBACCOUNTS[0], "one subaccount under both names", told)
    number = next(iter(told.values()), 0)
    return f"{account}/{number}" if number else account


def read_side(row: JsonObject) -> Side:
    """The direction in terms of YES, which all that a row tells must agree on."""
    told: list[Side | None] = []
    if row.get("action") is not None:
        told.append(BY_ACTION.get((_word(row, "action"), _word(row, "side"))))
    told += [
        BY_DIRECTION.get(_word(row, name))
        for name in ("outcome_side", "book_side")
        if row.get(name) is not None
    ]
    if None in told or len(set(told)) != 1:
        shown = {name: row.get(name) for name in ("action", "side", "outcome_side", "book_side")}
        raise InvalidFieldError("side", "one direction: action with side, outcome_side or book_side", shown)
    side = told[0]
    if side is None:
        raise InvalidFieldError("side", "a direction", None)
    return side


def _word(row: JsonObject, name: str) -> str:
    value = row.get(name)
    return value.strip().lower() if isinstance(value, str) else ""


def _count(row: JsonObject) -> Decimal:
    name, value = first_present(row, "count_fp", "count")
    number = parse_decimal(name, value)
    if number <= 0:
        raise InvalidFieldError(name, "a positive number", value)
    return number


def read_yes_price(row: JsonObject) -> Decimal:
    """What YES costs, from the price of YES or of NO."""
    yes, no = _price(row, "yes"), _price(row, "no")
    if no is None:
        if yes is None:
            raise InvalidFieldError("yes_price_dollars", "a price of YES or of NO", None)
        return yes
    if yes is not None and yes + no != ONE:
        raise InvalidFieldError("no_price_dollars", f"{ONE - yes}, what YES leaves of one", no)
    return ONE - no


def _price(row: JsonObject, outcome: str) -> Decimal | None:
    name, value = first_present(row, *DOLLARS[outcome])
    if value is not None:
        price = parse_decimal(name, value)
    else:
        name = f"{outcome}_price"
        value = row.get(name)
        if value is None:
            return None
        price = parse_decimal(name, value, places=0) / CENTS
    if not 0 <= price <= ONE:
        raise InvalidFieldError(name, "a price between 0 and 1 dollar", value)
    return price


def _liquidity(row: JsonObject) -> str:
    is_taker = row.get("is_taker")
    if is_taker is None:
        return ""
    if not isinstance(is_taker, bool):
        raise InvalidFieldError("is_taker", "true or false", is_taker)
    return "taker" if is_taker else "maker"


def read_time(row: JsonObject) -> datetime:
    """When it was made, as text or as an epoch."""
    name, value = first_present(row, "created_time", "ts_ms", "ts")
    if isinstance(value, str):
        return from_epoch(name, int(value)) if value.strip().isdigit() else from_iso(name, value.strip())
    if not isinstance(value, int):
        raise InvalidFieldError(name, "the venue's time, ISO or an epoch", value)
    return from_epoch(name, value)
