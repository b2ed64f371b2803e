"""Splits from factor files: date, price factor, split factor, close before.

A row's factors hold up to and with its date, so the split is effective in the session after the row where the
split factor changes; the ratio of the two factors is the ratio of the split.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

from adapters.lean.archives import text_lines
from adapters.lean.catalog import Catalog
from trading.calendar import CALENDAR_END, next_session
from trading.errors import InvalidFieldError
from trading.model.contract_master import Split
from trading.model.money import parse_decimal
from trading.model.times import parse_date

FIELDS_MIN = 3  # the fourth, the close before, came later
DENOMINATOR_MAX = 100  # factors are rounded to seven decimals


def read_splits(catalog: Catalog) -> Sequence[Split]:
    """The splits of every factor file; a file that cannot be read raises, naming it."""
    found: list[Split] = []
    for file in catalog.factors():
        try:
            rows = [_row(text) for _, text in text_lines(file.path)]
        except InvalidFieldError as error:
            raise InvalidFieldError(file.path.name, error.expected, error.value) from error
        found.extend(_splits(file.symbol, rows))
    return tuple(sorted(found, key=lambda split: (split.symbol, split.effective)))


def _row(text: str) -> tuple[date, Fraction]:
    fields = text.split(",")
    if len(fields) < FIELDS_MIN:
        raise InvalidFieldError("line", "date, price factor, split factor", text)
    factor = parse_decimal("split factor", fields[2])
    if factor <= 0:
        raise InvalidFieldError("split factor", "a number above zero", fields[2])
    return parse_date("date", fields[0]), Fraction(factor)


def _splits(symbol: str, rows: Sequence[tuple[date, Fraction]]) -> Iterator[Split]:
    for (last_day, before), (_, after) in pairwise(sorted(rows)):
        ratio = (after / before).limit_denominator(DENOMINATOR_MAX)
        if ratio != 1 and last_day < CALENDAR_END:
            yield Split(
                symbol=symbol,
                effective=next_session(last_day),
                numerator=ratio.numerator,
                denominator=ratio.denominator,
            )
