"""Exact numbers: prices and quantities with 12 decimals, money with 9, never a float.

The bounds are those of the warehouse columns, Decimal(38, 12) and Decimal(38, 9), so that a value that
passes here can be stored; what does not fit is refused by name instead of being rounded.
"""

from decimal import Context, Decimal, InvalidOperation, localcontext

from trading.errors import InvalidFieldError

PRICE_PLACES = 12  # prices and quantities
MONEY_PLACES = 9  # real commissions have nine decimals
INTEGER_DIGITS_MAX = 26  # of Decimal(38, 12); money is held to the same bound
NUMBER_CHARS_MAX = 80  # longer texts are not numbers of this field
EXACT = Context(prec=76)  # products of two stored values are exact in it
ZERO = Decimal(0)


def parse_decimal(field: str, value: object, places: int = PRICE_PLACES) -> Decimal:
    """Read a decimal from text, int or Decimal; floats, NaN, infinities and what does not fit are refused."""
    expected = f"a number with at most {INTEGER_DIGITS_MAX} integer digits and {places} decimals"
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise InvalidFieldError(field, expected, value)
    text = str(value).strip() if not isinstance(value, Decimal) else value
    if isinstance(text, str) and (len(text) > NUMBER_CHARS_MAX or "_" in text):
        raise InvalidFieldError(field, expected, value)
    try:
        number = Decimal(text)
    except InvalidOperation as cause:
        raise InvalidFieldError(field, expected, value) from cause
    if not number.is_finite() or number.adjusted() >= INTEGER_DIGITS_MAX:
        raise InvalidFieldError(field, expected, value)
    return _at_places(field, number, places, expected)


def parse_optional_decimal(field: str, value: object) -> Decimal | None:
    """Like parse_decimal, with None for an absent or empty value."""
    if value is None or value == "":
        return None
    return parse_decimal(field, value)


def canonical(number: Decimal) -> str:
    """Print a number in the one form used in hashes and keys: no exponent, no trailing zeros, no minus
    zero.
    """
    if number == 0:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _at_places(field: str, number: Decimal, places: int, expected: str) -> Decimal:
    with localcontext(EXACT):
        fitted = number.quantize(Decimal(1).scaleb(-places))
    if fitted != number:
        raise InvalidFieldError(field, expected, number)
    return Decimal(canonical(fitted))
