"""Reading fields of Alpha Vantage's rows: nearly every value is text, and absent in several spellings."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from adapters.venue.payload import JsonObject, canonical_text, cut
from trading.errors import InvalidFieldError
from trading.model.market import RefusedRow
from trading.model.money import parse_decimal

ABSENT = ("", "-", "None", "none", "null", "N/A", "NaN")
PAYLOAD_CHARS_MAX = 4_096  # of a refused row; real ones have 500
FLOAT_PLACES = 40  # model values are estimates: no place is refused


def object_row(row: object) -> JsonObject:
    """The row as an object whose keys stand once."""
    if not isinstance(row, JsonObject):
        raise InvalidFieldError("row", "a JSON object", row)
    if row.repeated:
        raise InvalidFieldError(row.repeated[0], "a key once", row[row.repeated[0]])
    return row


def text(row: Mapping[str, object], name: str, chars_max: int) -> str:
    """A text, cut where it is absurdly long; empty where there is none."""
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidFieldError(name, "text", value)
    return cut(value.strip(), chars_max)


def listed(row: Mapping[str, object], name: str, items_max: int) -> Sequence[object]:
    """A list of at most so many items; empty where there is none."""
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > items_max:
        raise InvalidFieldError(name, f"a list of at most {items_max}", value)
    return value


def number(row: Mapping[str, object], name: str) -> Decimal | None:
    """A number that is zero or more; None where there is none."""
    value = row.get(name)
    if value is None or (isinstance(value, str) and value.strip() in ABSENT):
        return None
    told = parse_decimal(name, value)
    if told < 0:
        raise InvalidFieldError(name, "zero or more", value)
    return told


def estimate(row: Mapping[str, object], name: str) -> float | None:
    """A model value; None where there is none."""
    value = row.get(name)
    if value is None or (isinstance(value, str) and value.strip() in ABSENT):
        return None
    return float(parse_decimal(name, value, places=FLOAT_PLACES))


def refused_row(symbol: str, feed: str, at: datetime, error: Exception, row: object) -> RefusedRow:
    """What was wrong with a row, and the row as it came, cut where it is absurdly long."""
    try:
        payload = cut(canonical_text(row), PAYLOAD_CHARS_MAX)
    except (RecursionError, TypeError, ValueError):
        payload = cut(repr(type(row)), PAYLOAD_CHARS_MAX)
    return RefusedRow(
        symbol=symbol,
        feed=feed,
        at=at,
        field=error.field if isinstance(error, InvalidFieldError) else "row",
        reason=str(error) or type(error).__name__,
        payload=payload,
    )
