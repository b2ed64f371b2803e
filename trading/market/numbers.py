"""Numbers as feeds tell them, floats, to decimals: a float that was read from a text gives that text back.

The shortest text of a float is what stood on the wire; only what is finer than the warehouse's eight places
(a float that was computed) is rounded to them. Equal numbers come again and again and are made once. Keep
out: which numbers are allowed where.
"""

from decimal import Decimal
from functools import lru_cache
from math import isfinite

from trading.errors import InvalidFieldError

NUMBERS_CACHED = 16_384  # 4 MB when full, which it is within the hour; more are made anew
NUMBER_LIMIT = 1e10  # a price or size is below it: no column holds more (decisions/0009)
MARKET_PLACES = 8  # of the columns (decisions/0009)
FINEST = Decimal(1).scaleb(-MARKET_PLACES)
PRICE_LEAST = 1e-8  # below it a price would be stored as 0
UNSET_FROM = 1e300  # the broker's 1.797e308 stands for a number that is not set
NOT_COMPUTED = frozenset({-1.0, -2.0})


@lru_cache(maxsize=NUMBERS_CACHED)
def decimal_of(number: float) -> Decimal:
    """Return the decimal that a float was read from; whole numbers have no decimals."""
    if not isfinite(number):
        raise InvalidFieldError("number", "a finite number", number)
    whole = int(number)
    if whole == number:
        return Decimal(whole)
    return at_market_places(Decimal(repr(number)))


def at_market_places(exact: Decimal) -> Decimal:
    """Round what is finer than the columns, which was computed and not quoted; all else stays as it is."""
    places = exact.as_tuple().exponent
    return exact.quantize(FINEST) if isinstance(places, int) and places < -MARKET_PLACES else exact


def optional_decimal(number: float | None) -> Decimal | None:
    """Like decimal_of; None stays None."""
    return None if number is None else decimal_of(number)


def is_set(number: float) -> bool:
    """Say whether a broker's number is one: neither unset, nor infinite, nor NaN."""
    return -UNSET_FROM < number < UNSET_FROM


def model_value(number: float, not_computed: float) -> float | None:
    """A model's value; None where it is unset or marked as not computed."""
    return float(number) if is_set(number) and number != not_computed else None
