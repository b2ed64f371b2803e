"""One row of a statement and typed access to its attributes.

An empty attribute means that the row has no such thing, so empty ones are dropped at once. Every reader
names the attribute in its error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from adapters.ibkr.flex_times import read_day, read_flex_moment, read_split_moment
from adapters.ibkr.refusal import canonical_row, checked_lengths
from trading.errors import InvalidFieldError
from trading.model.contract_fields import parse_symbol
from trading.model.money import MONEY_PLACES, PRICE_PLACES, parse_decimal

CACHED_NUMBERS = 65_536  # most numbers of a statement are 0, 1, 100; bounded for a hostile file
THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)  # older OptionEAE rows group their digits
NO_ACCOUNT = frozenset({"", "-", "--"})  # summary rows over accounts
NOTHING = frozenset({"", "-", "--", "N/A"})
ACCOUNT_CHARS_MAX = 64


@dataclass(frozen=True, slots=True)
class FlexRow:
    """A row with its section, its element name and its attributes that are not empty."""

    section: str
    tag: str
    attributes: Mapping[str, str]

    @property
    def raw(self) -> str:
        """The row as canonical JSON, with what nobody reads."""
        return canonical_row(self.attributes)

    def check_lengths(self) -> None:
        """Refuse absurdly long fields."""
        checked_lengths(self.attributes)

    def text(self, *names: str) -> str:
        """The first of these attributes that says something, else an empty text."""
        for name in names:
            value = self.attributes.get(name)
            if value and (stripped := value.strip()) not in NOTHING:
                return stripped
        return ""

    def required(self, name: str) -> str:
        """An attribute that must say something."""
        text = self.text(name)
        if not text:
            raise InvalidFieldError(name, "a text", self.attributes.get(name, ""))
        return text

    def currency(self, *names: str) -> str:
        """A currency; upper case."""
        for name in names:
            if text := self.text(name):
                return parse_symbol(name, text)
        raise InvalidFieldError(names[0], "a currency", "")

    def number(self, name: str, places: int = PRICE_PLACES) -> Decimal:
        """An exact number that must be there."""
        return read_number(name, self.attributes.get(name, ""), places)

    def optional_number(self, name: str, places: int = PRICE_PLACES) -> Decimal | None:
        """An exact number, or None where the row has none."""
        text = self.attributes.get(name)
        return None if text is None or text.strip() in NOTHING else read_number(name, text, places)

    def money(self, name: str) -> Decimal | None:
        """An amount of money, or None where the row has none."""
        return self.optional_number(name, MONEY_PLACES)

    def day(self, *names: str) -> date | None:
        """The first of these dates, or None where the row has none."""
        for name in names:
            if text := self.text(name):
                return read_day(name, text)
        return None

    def moment(self, name: str) -> datetime | None:
        """A moment in UTC, or None where the row has none."""
        text = self.text(name)
        return read_flex_moment(name, text) if text else None

    def moment_or_day(self, name: str) -> datetime | None:
        """A moment, or None where the row has only a day: a day is no moment and is not made one."""
        text = self.text(name)
        return read_flex_moment(name, text) if ";" in text else None

    def execution_moment(self) -> datetime:
        """When it happened: `dateTime`, else `tradeDate` and `tradeTime`; a row without a time is refused."""
        text = self.text("dateTime")
        clock = self.text("tradeTime")
        if text and (";" in text or not clock):
            return read_flex_moment("dateTime", text)
        if not clock:
            raise InvalidFieldError("dateTime", "the time of the execution", text)
        return read_split_moment("tradeTime", text or self.required("tradeDate"), clock)

    def account(self, default: str) -> str:
        """The row's account, else the statement's."""
        text = self.attributes.get("accountId", "").strip()
        return checked_account("accountId", default if text in NO_ACCOUNT else text)


def checked_account(field: str, account: str) -> str:
    """Refuse what cannot be an account."""
    if not account or len(account) > ACCOUNT_CHARS_MAX or not account.isprintable():
        expected = f"an account of at most {ACCOUNT_CHARS_MAX} printable characters"
        raise InvalidFieldError(field, expected, account)
    return account


def read_number(field: str, text: str, places: int) -> Decimal:
    """Read an exact number as statements write it, digits grouped by commas or not."""
    try:
        return _number(text, places)
    except InvalidFieldError as cause:
        raise InvalidFieldError(field, cause.expected, text) from cause


@lru_cache(maxsize=CACHED_NUMBERS)
def _number(text: str, places: int) -> Decimal:
    stripped = text.strip()
    return parse_decimal(
        "number", stripped.replace(",", "") if THOUSANDS.fullmatch(stripped) else stripped, places
    )
