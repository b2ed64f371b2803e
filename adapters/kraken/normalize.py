"""Kraken Futures fills, from REST answers and socket messages, as one batch of the house's fills.

Answers of the spot exchange (``TradesHistory``, ``Ledgers``: pairs such as XXBTZUSD, nothing that the desk
orders) are refused whole by name.

The same fill comes in two shapes: REST has ``fillTime`` (ISO), ``symbol``, ``side``, ``size``,
``fillType``; the socket has ``time`` (milliseconds), ``instrument``, ``buy``, ``qty``, ``fill_type``.
``fill_id`` is its identity in both. ``fee_paid`` is positive for a cost and negative for a rebate in
both, the house's own sign. The socket prints fees with up to eleven decimals: they are rounded half to
even to the nine of money, and the text stays in `raw`.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from adapters.kraken.symbols import CURRENCIES, instrument_of
from adapters.venue.payload import JsonObject, first_present, text_field
from adapters.venue.readings import UNNAMED, Reading, read_batch, read_fee
from trading.calendar import session_on_or_after, trade_date_of
from trading.errors import InvalidFieldError
from trading.model.fills import FillBatch, FillKind, FillRevision, Side, Source, Venue
from trading.model.money import parse_decimal
from trading.model.times import from_epoch, from_iso

SOCKET_FEEDS = frozenset({"fills", "fills_snapshot"})
REFUSALS = frozenset({"error", "alert"})
SIDES = {"buy": Side.BUY, "sell": Side.SELL}


def normalize(payload: bytes | str, *, account: str, source: Source, origin: str) -> FillBatch:
    """Read a REST answer, a socket snapshot or delta, or a list of these or of fills.

    `account` is the desk's name of the account, whatever the venue prints. Never raises for what the
    payload says.
    """
    return read_batch(
        Venue.KRAKEN,
        payload,
        account=account,
        source=source,
        origin=origin,
        rows_of=rows_of,
        read_row=read_row,
    )


def rows_of(envelope: JsonObject) -> Sequence[object] | None:
    """The fills of an answer or message, none if it is about something else; None for what is a row.

    A refusal (REST: ``result`` error; the socket: ``event`` error or alert; the spot exchange's ``error``)
    raises with its words.
    """
    result = envelope.get("result")
    if envelope.get("event") in REFUSALS or (result is None and envelope.get("error")):
        raise InvalidFieldError("error", "an answer without error", dict(envelope))
    if result is not None and result != "success":
        raise InvalidFieldError(
            "result", "success", envelope.get("error") or envelope.get("errors") or result
        )
    if "fills" in envelope:
        fills = envelope["fills"]
        if not isinstance(fills, list):
            raise InvalidFieldError("fills", "a list", fills)
        return fills
    if "event" in envelope or ("feed" in envelope and envelope["feed"] not in SOCKET_FEEDS):
        return ()
    if "feed" in envelope or result is not None:
        raise InvalidFieldError("fills", "a list", None)
    return None


def read_row(row: JsonObject, raw: str, account: str, source: Source) -> Reading:
    """Read one fill of either shape; raises InvalidFieldError naming the field."""
    instrument = instrument_of(_required(row, "symbol", "instrument"))
    fill_id = text_field(row, "fill_id")
    moment = _moment(row)
    trade_date = trade_date_of(Venue.KRAKEN, moment)
    fill = FillRevision(
        venue=Venue.KRAKEN,
        account=account,
        fill_id=fill_id or UNNAMED,
        revision=0,
        source=source,
        kind=FillKind.TRADE,
        instrument=instrument,
        conid=None,
        side=_side(row),
        quantity=_positive(row, "size", "qty"),
        price=_positive(row, "price"),
        multiplier=instrument.contract_size,
        currency=instrument.currency,
        fill_ts=moment,
        trade_date=trade_date,
        report_date=None,
        session=session_on_or_after(trade_date),
        exec_id=fill_id,
        order_id=text_field(row, "order_id"),
        order_ref=text_field(row, "cli_ord_id", "cliOrdId"),
        liquidity=text_field(row, "fillType", "fill_type").lower(),
        raw=raw,
    )
    currency = text_field(row, "fee_currency").upper() or instrument.settlement_currency
    return Reading(fill, read_fee("fee_paid", row.get("fee_paid"), CURRENCIES.get(currency, currency)))


def _required(row: JsonObject, *names: str) -> str:
    value = text_field(row, *names)
    if not value:
        raise InvalidFieldError(names[0], "a text", row.get(names[0]))
    return value


def _positive(row: JsonObject, *names: str) -> Decimal:
    name, value = first_present(row, *names)
    number = parse_decimal(name, value)
    if number <= 0:
        raise InvalidFieldError(name, "a positive number", value)
    return number


def _side(row: JsonObject) -> Side:
    named, bought = row.get("side"), row.get("buy")
    if named is None and isinstance(bought, bool):
        return Side.BUY if bought else Side.SELL
    side = SIDES.get(named.strip().lower()) if isinstance(named, str) else None
    if side is None or (bought is not None and bought is not (side is Side.BUY)):
        raise InvalidFieldError("side", "buy or sell, or buy as true or false", (named, bought))
    return side


def _moment(row: JsonObject) -> datetime:
    name, value = first_present(row, "fillTime", "time")
    if isinstance(value, str) and not value.strip().isdigit():
        return from_iso(name, value.strip())
    if isinstance(value, str):
        value = int(value.strip())
    if not isinstance(value, int):
        raise InvalidFieldError(name, "the venue's time, ISO or milliseconds", value)
    return from_epoch(name, value)
