"""How one value looks in a message: reading a client's texts in sequence, writing ours as the gateway spells.

The gateway is a Java program: doubles carry a point (`0.0`), unset numbers are the largest of their type.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from simulation.sample_desk.contracts import plain

UNSET_INT = "2147483647"
UNSET_LONG = "9223372036854775807"
UNSET_DOUBLE = "1.7976931348623157E308"
DOUBLES_KEPT = 50_000
GROUP_MAX = 500  # legs, conditions and pairs of one message
NUMBER_LENGTH_MAX = 30
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")

__all__ = [
    "GROUP_MAX",
    "UNSET_DOUBLE",
    "UNSET_INT",
    "UNSET_LONG",
    "Cursor",
    "MalformedRequest",
    "RefusedRequest",
    "double",
    "flag",
    "number",
    "plain",
]


class MalformedRequest(Exception):
    """A request that does not read as one: which field, and what stood there."""


class RefusedRequest(Exception):
    """A request that reads as one but asks for what is none: a real gateway's code and words for it."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


class Cursor:
    """Reads a message's texts one after the other; every read names what it expects."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        self._at = 0

    @property
    def left(self) -> int:
        """How many texts have not been read."""
        return len(self._fields) - self._at

    def text(self, name: str) -> str:
        """The next text."""
        if self._at >= len(self._fields):
            raise MalformedRequest(f"{name}: expected a field, message ended after {len(self._fields)}")
        value = self._fields[self._at]
        self._at += 1
        return value

    def texts(self, name: str, count: int) -> tuple[str, ...]:
        """The next few texts."""
        return tuple(self.text(name) for _ in range(count))

    def integer(self, name: str) -> int:
        """A whole number; empty is 0."""
        value = self.text(name)
        return whole(name, value)

    def decimal(self, name: str) -> Decimal | None:
        """A number; None when it is unset."""
        return number(name, self.text(name))

    def flag(self, name: str) -> bool:
        """A yes or no; empty is no."""
        return self.integer(name) != 0

    def count(self, name: str) -> int:
        """How many members of a group follow."""
        value = self.integer(name)
        if not 0 <= value <= GROUP_MAX:
            raise MalformedRequest(f"{name}: expected a count of 0..{GROUP_MAX}, was {value}")
        return value

    def end(self) -> None:
        """Raise when texts are left that no request of this version has."""
        if self.left:
            raise MalformedRequest(f"expected the message to end, {self.left} fields were left")


def whole(name: str, value: str) -> int:
    """A whole number from its text; empty is 0, and "7.0" is 7 as a client may print it."""
    parsed = number(name, value)
    if parsed is None:
        return 0
    if parsed != parsed.to_integral_value():
        raise MalformedRequest(f"{name}: expected a whole number, was {value!r}")
    return int(parsed)


def number(name: str, value: str) -> Decimal | None:
    """A finite number from its text; None for empty and for the spellings of unset."""
    if value in ("", UNSET_INT, UNSET_LONG, UNSET_DOUBLE, "1.7976931348623157e+308"):
        return None
    if len(value) > NUMBER_LENGTH_MAX or NUMBER.fullmatch(value) is None:
        raise MalformedRequest(f"{name}: expected a finite number, was {value[:40]!r}")
    parsed = Decimal(value)
    if parsed.adjusted() > NUMBER_LENGTH_MAX:
        raise MalformedRequest(f"{name}: expected a finite number, was {value!r}")
    return parsed


def flag(value: bool) -> str:
    """A yes or no."""
    return "1" if value else "0"


def double(value: Decimal | float | int | None, unset: str = UNSET_DOUBLE) -> str:
    """A double as Java prints one: always with a point; the unset spelling for None."""
    if value is None:
        return unset
    return repr(value) if isinstance(value, float) else _exact_double(value)


@lru_cache(maxsize=DOUBLES_KEPT)
def _exact_double(value: Decimal | int) -> str:
    text = plain(value)
    return text if "." in text else f"{text}.0"
