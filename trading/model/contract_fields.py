"""The fields of contracts, each in its one form: what is not that field is refused by name and value."""

import re
from datetime import date, datetime
from decimal import Decimal

from trading.errors import InvalidFieldError
from trading.model.money import canonical, parse_decimal

STRIKE_PLACES = 3  # OCC: strike x 1000
STRIKE_LIMIT = Decimal(100_000)  # OCC: eight digits
MULTIPLIER_LIMIT = 10**9  # the largest real ones are in the tens of thousands
SYMBOL_CHARS_MAX = 64
CONID_DIGITS_MAX = 18  # fits 64 bits
SYMBOL_PATTERN = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")  # no control characters, no lone surrogates


def parse_strike(value: object) -> Decimal:
    """Read a strike: positive, below 100,000, a multiple of 0.001.

    It may be text, int, Decimal or a broker's float: a strike is a label from a short list, so the shortest
    text of a float is that strike. Prices and quantities are never read from floats.
    """
    expected = "a positive strike below 100,000 that is a multiple of 0.001"
    source = repr(value) if isinstance(value, float) else value
    try:
        strike = parse_decimal("strike", source, places=STRIKE_PLACES)
    except InvalidFieldError as cause:
        raise InvalidFieldError("strike", expected, value) from cause
    if not 0 < strike < STRIKE_LIMIT:
        raise InvalidFieldError("strike", expected, value)
    return Decimal(canonical(strike))


def set_field(instance: object, name: str, value: object) -> None:
    """Write a field of a frozen instance under construction."""
    object.__setattr__(instance, name, value)


def parse_symbol(name: str, value: object) -> str:
    """Read a symbol-like text: trimmed, upper case, without control characters."""
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > SYMBOL_CHARS_MAX or not SYMBOL_PATTERN.fullmatch(text):
        raise InvalidFieldError(name, f"1 to {SYMBOL_CHARS_MAX} printable characters", value)
    return text.upper()


def checked_expiry(name: str, value: object) -> date:
    """Return the date; a datetime is not one."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidFieldError(name, "a date", value)
    return value


def parse_multiplier(value: object) -> int:
    """Read a positive whole multiplier from a number or text."""
    expected = "a positive whole multiplier"
    try:
        number = parse_decimal("multiplier", value, places=0)
    except InvalidFieldError as cause:
        raise InvalidFieldError("multiplier", expected, value) from cause
    if not 0 < number < MULTIPLIER_LIMIT:
        raise InvalidFieldError("multiplier", expected, value)
    return int(number)


def parse_contract_size(value: object) -> Decimal:
    """Read a positive contract size, which may have decimals."""
    number = parse_decimal("multiplier", value)
    if not 0 < number < MULTIPLIER_LIMIT:
        raise InvalidFieldError("multiplier", "a positive contract size", value)
    return number


def parse_conid(value: object) -> int | None:
    """Read a broker's contract id; None, empty and 0 are absent."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else None
    if value is None or text in ("", "0"):
        return None
    if text is None or not text.isascii() or not text.isdigit() or len(text) > CONID_DIGITS_MAX:
        raise InvalidFieldError("conid", "a positive integer", value)
    return int(text)
