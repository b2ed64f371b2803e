"""Reading fields of Alpha Vantage's rows: nearly every value is text, and absent in several spellings."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from adapters.venue.payload import JsonObject, canonical_text, cut
from trading.errors import InvalidFieldError
from trading.market.numbers import MARKET_PLACES, NUMBER_LIMIT, at_market_places
from trading.model.market import RefusedRow
from trading.model.money import parse_decimal

ABSENT = ("", "-", "None", "none", "null", "N/A", "NaN")
PAYLOAD_CHARS_MAX = 4_096  # of a refused row; real ones have 500
LIMIT = int(NUMBER_LIMIT)
NUMBERS_REMEMBERED = 50_000  # 12 MB; sizes and prices of a chain repeat all day


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
    if isinstance(value, str):
        known = _known_number(value)
        if known is not None:
            return known
    if value is None or (isinstance(value, str) and value.strip() in ABSENT):
        return None
    told = at_market_places(parse_decimal(name, value))
    if told < 0:
        raise InvalidFieldError(name, "zero or more", value)
    if told >= LIMIT:
        raise InvalidFieldError(name, f"less than {LIMIT}, as the columns hold", value)
    return told


def estimate(row: Mapping[str, object], name: str) -> float | None:
    """A model value; None where there is none."""
    value = row.get(name)
    if value is None or (isinstance(value, str) and value.strip() in ABSENT):
        return None
    try:
        told = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        told = math.nan
    if not math.isfinite(told) or (isinstance(value, str) and "_" in value):
        raise InvalidFieldError(name, "a finite number", value)
    return told


@lru_cache(maxsize=NUMBERS_REMEMBERED)
def _known_number(text: str) -> Decimal | None:
    """A text that is a good number, read once; None for all else, which is looked at with its field."""
    try:
        told = parse_decimal("number", text, MARKET_PLACES)
    except InvalidFieldError:
        return None
    return told if 0 <= told < LIMIT else None


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
