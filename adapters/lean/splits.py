"""Splits from factor files: date, price factor, split factor, close before.

A row's factors hold up to and with its date, so the split is effective in the session after the row where the
split factor changes; the ratio of the two factors is the ratio of the split. Factors are rounded, so of near
ratios the one of small numbers is meant: 1.4989 is three for two. A dividend in shares (three thousandths of
one) comes out as one for one, moves no strike and is no split.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

from adapters.lean.archives import NumberedLine, OpenArchive, member_names, text_lines
from adapters.lean.catalog import Catalog
from adapters.lean.names import LeanFile, base_name
from trading.calendar import CALENDAR_END, next_session
from trading.errors import InvalidFieldError
from trading.model.contract_master import Split
from trading.model.money import parse_decimal
from trading.model.symbols import symbol_of_lean
from trading.model.times import parse_date

FIELDS_MIN = 3  # the fourth, the close before, came later
SHARES_MAX = 100  # old ones for which there are new ones, or of a reverse split new ones for old ones


def read_splits(catalog: Catalog) -> Sequence[Split]:
    """The splits of every factor file; a file that cannot be read raises, naming it."""
    found: set[Split] = set()
    for file in catalog.factors():
        try:
            for symbol, lines in _texts(file):
                found.update(_splits(symbol, [_row(text) for _, text in lines if not _is_unbounded(text)]))
        except InvalidFieldError as error:
            raise InvalidFieldError(file.path.name, error.expected, error.value) from error
    return tuple(sorted(found, key=lambda split: (split.symbol, split.effective)))


def _texts(file: LeanFile) -> Iterator[tuple[str, Iterable[NumberedLine]]]:
    """The factor files in a file: itself, or the members of an archive of all symbols."""
    if file.path.suffix.lower() != ".zip":
        yield file.symbol, text_lines(file.path)
        return
    members = member_names(file.path)
    with OpenArchive(file.path) as opened:
        for member in members:
            yield symbol_of_lean(base_name(member).removesuffix(".csv")), opened.lines(member)


def _is_unbounded(text: str) -> bool:
    """The origin's mark of a beginning: a factor so large that it wrote no number, and means none."""
    return "inf" in text.lower() or "e+" in text.lower()


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
        ratio = _ratio(after / before)
        if ratio != 1 and last_day < CALENDAR_END:
            yield Split(
                symbol=symbol,
                effective=next_session(last_day),
                numerator=ratio.numerator,
                denominator=ratio.denominator,
            )


def _ratio(factor: Fraction) -> Fraction:
    """The ratio of small numbers; of a reverse split (one for 150) by its inverse, or it would be another."""
    if factor >= 1:
        return factor.limit_denominator(SHARES_MAX)
    return 1 / (1 / factor).limit_denominator(SHARES_MAX)
