"""From rows to a batch: one bad row never costs a good one, and a fill without an id gets a computed one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from adapters.venue.payload import (
    ROW_ERRORS,
    JsonObject,
    Refused,
    checked_row,
    dead_letter,
    decode,
    refused_document,
    sample_of,
)
from trading.errors import InvalidFieldError
from trading.model.fills import (
    CommissionFact,
    CoverageInterval,
    FillBatch,
    FillRevision,
    RejectedRow,
    Source,
    Venue,
)
from trading.model.ids import ordinals, synthetic_fill_id
from trading.model.money import MONEY_PLACES, parse_decimal

UNNAMED = "\x00"  # stands in for the id until the whole payload is known; no venue can send it
VENUE_LAG = timedelta(seconds=10)  # until a fill is in the answers; coverage ends that much earlier
FEE_PLACES_MAX = 18  # of a fee as a venue prints it


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee as the venue said it: positive for a cost, negative for a rebate, at the places of money."""

    amount: Decimal
    currency: str
    was_rounded: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What one row says: the fill, and its fee or why that cannot be read; a fill never waits for its fee."""

    fill: FillRevision
    fee: Fee | InvalidFieldError | None


RowReader = Callable[[JsonObject, str, str, Source], Reading | None]  # row, its text, account, source
RowFinder = Callable[[JsonObject], Sequence[object] | None]


def read_batch(
    venue: Venue,
    payload: bytes | str,
    *,
    account: str,
    source: Source,
    origin: str,
    rows_of: RowFinder,
    read_row: RowReader,
) -> FillBatch:
    """Read one payload; bad rows come back in `rejected`, and nothing about the payload raises."""
    document = decode(payload)
    if isinstance(document, Refused):
        refused = refused_document(venue, source, account, document)
        return FillBatch(venue=venue, source=source, origin=origin, rejected=(refused,))
    rows, refusals = _rows_of_document(document, rows_of)
    rejected = [
        refused_document(venue, source, account, Refused(why, sample_of(payload))) for why in refusals
    ]
    readings: list[Reading] = []
    for row in rows:
        try:
            checked, text = checked_row(row)
            reading = read_row(checked, text, account, source)
        except ROW_ERRORS as error:
            rejected.append(dead_letter(venue, source, account, error, row))
            continue
        if reading is not None:  # None: understood, and nothing to book
            readings.append(reading)
    named, unnamed = _named(venue, readings)
    rejected.extend(dead_letter(venue, source, account, error, row) for error, row in unnamed)
    rejected.extend(_refused_fees(venue, source, named))
    return FillBatch(
        venue=venue,
        source=source,
        origin=origin,
        fills=tuple(reading.fill for reading in named),
        commissions=tuple(_commission(r.fill, r.fee) for r in named if isinstance(r.fee, Fee)),
        rejected=tuple(rejected),
        warnings=_warnings(named),
    )


def read_fee(field: str, value: object, currency: str) -> Fee | InvalidFieldError | None:
    """Read a fee; None if there is none, the error if it is unreadable."""
    if value is None or value == "":
        return None
    try:
        exact = parse_decimal(field, value, places=FEE_PLACES_MAX)
        if not currency:
            raise InvalidFieldError("fee_currency", "a currency", currency)
        amount = exact.quantize(Decimal(1).scaleb(-MONEY_PLACES), rounding=ROUND_HALF_EVEN)
    except InvalidFieldError as error:
        return error
    return Fee(parse_decimal(field, amount), currency, was_rounded=amount != exact)


def _rows_of_document(document: object, rows_of: RowFinder) -> tuple[list[object], list[str]]:
    """The rows of one envelope, of a list of envelopes, or a list of rows; and why envelopes were refused."""
    rows: list[object] = []
    refusals: list[str] = []
    for item in document if isinstance(document, list) else [document]:
        try:
            found = rows_of(item) if isinstance(item, JsonObject) else None
            if found is not None and isinstance(item, JsonObject) and item.repeated:
                raise InvalidFieldError(item.repeated[0], "a key once", item[item.repeated[0]])
        except InvalidFieldError as error:
            refusals.append(str(error))
            continue
        rows.extend([item] if found is None else found)
    return rows, refusals


def _named(
    venue: Venue, readings: Sequence[Reading]
) -> tuple[list[Reading], list[tuple[InvalidFieldError, str]]]:
    nameless = [reading.fill for reading in readings if reading.fill.fill_id == UNNAMED]
    numbers = iter(ordinals([(_tuple(fill), fill.raw) for fill in nameless]))
    named: list[Reading] = []
    unnamed: list[tuple[InvalidFieldError, str]] = []
    for reading in readings:
        if reading.fill.fill_id != UNNAMED:
            named.append(reading)
            continue
        try:
            fill_id = _synthetic(venue, reading.fill, next(numbers))
        except InvalidFieldError as error:
            unnamed.append((error, reading.fill.raw))
            continue
        named.append(replace(reading, fill=replace(reading.fill, fill_id=fill_id, exec_id=fill_id)))
    return named, unnamed


def _tuple(fill: FillRevision) -> tuple[object, ...]:
    return (fill.account, fill.order_id, fill.side, fill.quantity, fill.price, fill.fill_ts)


def _synthetic(venue: Venue, fill: FillRevision, ordinal: int) -> str:
    return synthetic_fill_id(
        venue=venue,
        account=fill.account,
        order_id=fill.order_id,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        venue_ts=fill.fill_ts,
        ordinal=ordinal,
    )


def _commission(fill: FillRevision, fee: Fee) -> CommissionFact:
    return CommissionFact(
        venue=fill.venue,
        account=fill.account,
        commission_key=fill.fill_id,
        fill_id=fill.fill_id,
        source=fill.source,
        amount=fee.amount,
        currency=fee.currency,
        session=fill.session,
        raw=fill.raw,
    )


def _refused_fees(venue: Venue, source: Source, readings: Sequence[Reading]) -> list[RejectedRow]:
    return [
        replace(
            dead_letter(venue, source, reading.fill.account, reading.fee, {}),
            payload=reading.fill.raw,
            is_trade_row=False,
        )
        for reading in readings
        if isinstance(reading.fee, InvalidFieldError)
    ]


def _warnings(readings: Sequence[Reading]) -> tuple[str, ...]:
    rounded = sum(isinstance(reading.fee, Fee) and reading.fee.was_rounded for reading in readings)
    return (f"{rounded} fees rounded to {MONEY_PLACES} places",) if rounded else ()


def distinct(rows: Iterable[RejectedRow]) -> tuple[RejectedRow, ...]:
    """Refused rows once each: overlapping pages repeat them."""
    return tuple({(row.reason, row.payload): row for row in rows}.values())


def covered(
    venue: Venue, account: str, source: Source, start: datetime, told_until: datetime | None
) -> tuple[tuple[CoverageInterval, ...], tuple[str, ...]]:
    """What was told completely, and a warning if the reading broke off (`told_until` is None)."""
    if told_until is None:
        return (), (f"incomplete: no coverage from {start:%Y-%m-%d %H:%M:%S}",)
    if told_until <= start:
        return (), ()
    interval = CoverageInterval(venue=venue, account=account, source=source, start=start, end=told_until)
    return (interval,), ()
