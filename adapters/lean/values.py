"""Numbers as Lean writes them: prices x 10,000, sizes, plain index values; exact, and empty where absent.

Prices repeat by the thousand in a file, so what was read once is kept.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from trading.errors import InvalidFieldError
from trading.model.money import canonical, parse_decimal
from trading.model.times import parse_date

PRICE_PLACES = 4  # prices are x 10,000
KEPT_MAX = 65_536
NO_PRICE = ("", "0", "0.0")
ReadPrice = Callable[[str], Decimal]
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 24 * 60 * 60 * 1000


@lru_cache(KEPT_MAX)
def price(text: str) -> Decimal:
    """A price above zero from its ten-thousandths, which are whole: what has a point is not scaled."""
    number = parse_decimal("price", text)
    if number <= 0 or "." in text:
        raise InvalidFieldError("price", "whole ten-thousandths above zero", text)
    return Decimal(canonical(number.scaleb(-PRICE_PLACES)))


@lru_cache(KEPT_MAX)
def plain_price(text: str) -> Decimal:
    """A price above zero as it stands: index values are not scaled."""
    number = parse_decimal("price", text)
    if number <= 0:
        raise InvalidFieldError("price", "a number above zero", text)
    return Decimal(canonical(number))


@lru_cache(KEPT_MAX)
def side_price(text: str, read: ReadPrice = price) -> Decimal | None:
    """A bid or an ask; None where the field is empty or zero, which means that there is none."""
    return None if text.strip() in NO_PRICE else read(text)


@lru_cache(KEPT_MAX)
def size(text: str) -> Decimal:
    """A size of zero or more."""
    number = parse_decimal("size", text)
    if number < 0:
        raise InvalidFieldError("size", "zero or more", text)
    return number


@lru_cache(KEPT_MAX)
def milliseconds(text: str) -> float:
    """Milliseconds since midnight on the file's clock; those of a tape may have decimals."""
    whole, point, parts = text.strip().partition(".")
    if not (whole.isascii() and whole.isdigit() and int(whole) < DAY_MS):
        raise InvalidFieldError("ms", f"milliseconds since midnight, below {DAY_MS}", text)
    if not point:
        return int(whole)
    if not (parts.isascii() and parts.isdigit()):
        raise InvalidFieldError("ms", "milliseconds with decimals", text)
    return float(text)


def hour_milliseconds(text: str, day: date) -> int | None:
    """Milliseconds since midnight from ``YYYYMMDD HH:MM``; None for another day than this."""
    stamp, _, clock = text.partition(" ")
    if stamp != f"{day:%Y%m%d}":
        parse_date("time", stamp)  # of another day, if it is one
        return None
    hours, colon, minutes = clock.partition(":")
    is_clock = bool(colon) and len(clock) == 5 and hours.isdecimal() and minutes.isdecimal()
    if not is_clock or int(hours) > 23 or int(minutes) > 59:
        raise InvalidFieldError("time", "YYYYMMDD HH:MM", text)
    return (int(hours) * 60 + int(minutes)) * 60_000


def whole(text: str) -> int:
    """A count of zero or more."""
    if not (text.isascii() and text.isdigit()):
        raise InvalidFieldError("count", "a whole number of zero or more", text)
    return int(text)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Midnight of the day in the zone, in UTC. No session's day changes its offset after midnight."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
