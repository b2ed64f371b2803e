"""Rows of any frozen type as columns and back: how each kind of field is printed, all rows at once.

The columns of a type follow from its fields, so a field that is added to a row is on its way at once. A table
holds in `same` what all rows share, in `columns` the rest; what is nowhere is None. Errors of reading are
those of `json_texts.FAULTS`, which the caller turns into its own.
"""

import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from math import isfinite
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from adapters.redis.json_texts import text_of
from trading.errors import InvalidFieldError
from trading.model.instruments import Option
from trading.model.market import ChainContract, DepthLevel, OptionGreeks, TickerSentiment
from trading.model.money import canonical

NUMBERS_CACHED = 16_384  # 5 MB; prices and sizes come again and again
OPTIONS_CACHED = 65_536  # 54 MB; making one costs more than reading its row, expired ones go
ROWS_MAX = 100_000  # of one table: a text of a few bytes must not ask for more

Row = TypeVar("Row")
Cells = list[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """How the values of one field are printed and read, all rows at once."""

    name: str
    write: Callable[[Cells], Any]
    read: Callable[[Any], Cells]
    absent: Any  # what a text says that has nothing of this field: none, or an older writer's default


def table_of(row_type: type, rows: Sequence[Any]) -> dict[str, Any]:
    """Print rows as a table."""
    same: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for column in columns_of(row_type):
        cells = column.write([getattr(row, column.name) for row in rows])
        if not isinstance(cells, list):
            columns[column.name] = cells
        elif cells and cells.count(cells[0]) == len(cells):
            if cells[0] is not None:
                same[column.name] = cells[0]
        else:
            columns[column.name] = cells
    return {"rows": len(rows), "same": same, "columns": columns}


def rows_of_table(row_type: type[Row], told: Mapping[str, Any]) -> list[Row]:
    """Read a table's rows."""
    count, same, columns = _count(told["rows"]), told["same"], told["columns"]
    read = {}
    for column in columns_of(row_type):
        if column.name in columns:
            read[column.name] = column.read(columns[column.name])
        else:
            read[column.name] = _shared(column, same) * count
    return made(row_type, read, count)


def _shared(column: Column, same: Mapping[str, Any]) -> Cells:
    """What all rows have; a field that an older writer did not know has its default."""
    if column.name in same:
        return column.read([same[column.name]])
    if column.absent is MISSING:
        raise KeyError(column.name)
    return [column.absent]


def made(row_type: type[Row], columns: Mapping[str, Cells], count: int) -> list[Row]:
    """Make rows of their columns."""
    if any(len(cells) != count for cells in columns.values()):
        raise ValueError("columns of different lengths")
    names = tuple(columns)
    return [row_type(**dict(zip(names, cells, strict=True))) for cells in zip(*columns.values(), strict=True)]


def columns_of(row_type: type) -> tuple[Column, ...]:
    """Return the columns of a type of rows."""
    return _columns_once(cast("Hashable", row_type))


@cache
def _columns_once(row_type: Hashable) -> tuple[Column, ...]:
    assert isinstance(row_type, type)
    hints = get_type_hints(row_type)
    return tuple(_column(each.name, hints[each.name], each) for each in fields(row_type))


def _column(name: str, hint: Any, field: Field[Any]) -> Column:
    kind, may_be_none = _without_none(hint)
    absent = None if may_be_none else field.default
    if absent is MISSING and field.default_factory is not MISSING:
        absent = field.default_factory()
    if kind in (Option, OptionGreeks):
        return Column(name, lambda cells: _sub_table(kind, cells), lambda told: _sub_rows(kind, told), absent)
    if get_origin(kind) is tuple:
        return Column(name, *_tuple_cells(get_args(kind)[0]), absent)
    write, read = _cells(kind)
    return Column(name, _each(write, may_be_none=may_be_none), _each(read, may_be_none=may_be_none), absent)


def _each(change: Callable[[Any], Any] | None, *, may_be_none: bool) -> Callable[[Cells], Cells]:
    """Do it to each cell; None where cells stay as they are."""
    if change is None:
        return lambda cells: cells
    if may_be_none:
        return lambda cells: [None if cell is None else change(cell) for cell in cells]
    return lambda cells: [change(cell) for cell in cells]


def _tuple_cells(kind: type) -> tuple[Callable[[Cells], Any], Callable[[Any], Cells]]:
    if kind is DepthLevel:
        return (
            lambda cells: [_levels_told(levels) for levels in cells],
            lambda told: [_levels(levels) for levels in told],
        )
    if kind in (ChainContract, TickerSentiment):
        return (
            lambda cells: [table_of(kind, rows) for rows in cells],
            lambda told: [tuple(rows_of_table(kind, table)) for table in told],
        )
    return lambda cells: [list(cell) for cell in cells], lambda told: [_texts(cell) for cell in told]


def _cells(kind: Any) -> tuple[Callable[[Any], Any] | None, Callable[[Any], Any]]:
    """How one value is printed (None: as it is) and read."""
    if kind is Decimal:
        return number_text, number_of
    if kind is datetime:
        return None, moment_of
    if kind is date:
        return None, date.fromisoformat
    if kind is float:
        return _finite, _float
    if kind in (int, bool):
        return None, _whole if kind is int else _flag
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        members = {member.value: member for member in kind}
        return _value, members.__getitem__
    if get_origin(kind) is not None:  # Mapping[str, float]
        return _named_floats, _floats_of
    return None, text_of


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return kinds[0], True
    return hint, False


def _sub_table(kind: type, cells: Cells) -> dict[str, Any]:
    there = [cell for cell in cells if cell is not None]
    places = None
    if len(there) != len(cells):
        places = [place for place, cell in enumerate(cells) if cell is not None]
    return {"of": len(cells), "places": places, **table_of(kind, there)}


def _sub_rows(kind: type, told: Any) -> Cells:
    if isinstance(told, list):  # nothing there in any row
        return list(told)
    rows = _options(told) if kind is Option else rows_of_table(kind, told)
    if told["places"] is None:
        return list(rows)
    cells: Cells = [None] * _count(told["of"])
    for place, row in zip(told["places"], rows, strict=True):
        cells[_count(place)] = row
    return cells


def _options(told: Mapping[str, Any]) -> list[Option]:
    """Options are checked at their making, so equal ones are made once."""
    count, same, columns = _count(told["rows"]), told["same"], told["columns"]
    names = [column.name for column in columns_of(Option)]
    cells = [columns.get(name) or [same.get(name)] * count for name in names]
    return [_option(*values) for values in zip(*cells, strict=True)]


@lru_cache(maxsize=OPTIONS_CACHED)
def _option(*values: Any) -> Option:
    names = (column.name for column in columns_of(Option))
    told = dict(zip(names, values, strict=True))
    told["expiry"] = date.fromisoformat(told["expiry"])
    told["strike"] = Decimal(told["strike"])
    return Option(**told)


def _count(told: object) -> int:
    count = _whole(told)
    if not 0 <= count <= ROWS_MAX:
        raise ValueError(f"expected 0 to {ROWS_MAX} rows")
    return count


def _levels_told(levels: Sequence[DepthLevel]) -> Cells:
    return [[number_text(level.price), number_text(level.size), level.maker] for level in levels]


def _levels(told: Cells) -> tuple[DepthLevel, ...]:
    return tuple(
        DepthLevel(price=number_of(price), size=number_of(size), maker=text_of(maker))
        for price, size, maker in told
    )


def _texts(cells: Cells) -> tuple[str, ...]:
    if not isinstance(cells, list):
        raise TypeError("expected texts")
    return tuple(text_of(cell) for cell in cells)


def _named_floats(named: Mapping[str, float]) -> dict[str, float]:
    return {name: _finite(value) for name, value in named.items()}


def _floats_of(told: Mapping[str, Any]) -> dict[str, float]:
    return {text_of(name): _float(value) for name, value in told.items()}


@lru_cache(maxsize=NUMBERS_CACHED, typed=True)  # a float that equals a decimal must not pass as it
def number_text(number: Decimal) -> str:
    """Print a decimal in its one form; what is no number is refused."""
    if not isinstance(number, Decimal) or not number.is_finite():
        raise InvalidFieldError("number", "a finite decimal", number)
    return canonical(number)


@lru_cache(maxsize=NUMBERS_CACHED)
def number_of(text: str) -> Decimal:
    """Read a decimal."""
    number = Decimal(text_of(text))
    if not number.is_finite():
        raise ValueError("expected a finite number")
    return number


def _finite(number: float) -> float:
    if not isfinite(number):
        raise InvalidFieldError("number", "a finite float", number)
    return number


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("expected a whole number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    return value


def _value(member: StrEnum) -> str:
    return member.value


def moment_of(text: str) -> datetime:
    """Read a time with its zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("expected a time with its zone")
    return moment
