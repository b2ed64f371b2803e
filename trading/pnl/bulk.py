"""FIFO over columns of integers: the hot loop of large sessions and rebuilds, with results identical to the
ledger's.

Money in units of 1e-9, quantities in the smallest decimal unit that holds the column. One pass per
instrument: the k-th unit closed is the k-th unit opened, so a head that only moves forward finds the lot. The
loop is compiled for 64-bit integers where every product is known to fit (`fits_64_bit`), and the same source
runs on plain integers, which have no limit, where it is not: there is no third result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt

MONEY_LIMIT = 2**60  # of one value: differences and sums of four stay below 2**63
QUANTITY_LIMIT = 2**31  # a remainder times a quantity stays below 2**63
Column = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FifoColumns:
    """Rows ordered by instrument, then by place in FIFO; open lots of the book come first in their
    instrument.

    sign +1 or -1; quantity positive; value and fee in 1e-9; closed: how much of the row was closed before;
    closes_only: what is left of it after closing opens nothing. Arrays of int64, or lists of Python integers.
    """

    instrument: Any
    sign: Any
    quantity: Any
    value: Any
    fee: Any
    closed: Any
    closes_only: Any

    def __len__(self) -> int:
        return len(self.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class FifoParts:
    """One row per part of an opening closed by one row, in the order of closing; the columns have one length.

    open_from is how much of the opening was closed before. `opened_from` and `closed` have one row per input
    row: where the row's opening part begins (its quantity where it opened nothing), and how much of that part
    is closed at the end.
    """

    open_row: Any
    close_row: Any
    quantity: Any
    open_from: Any
    gross: Any
    open_fee: Any
    close_fee: Any
    opened_from: Any
    closed: Any


def match_columns(columns: FifoColumns) -> FifoParts:
    """Match FIFO: compiled where all fits in 64 bits, else on plain integers."""
    if isinstance(columns.quantity, np.ndarray) and fits_64_bit(columns):
        return _run(_compiled(), columns, _int64_space)
    return _run(_match, _plain(columns), _list_space)


def fits_64_bit(columns: FifoColumns) -> bool:
    """Whether no product or sum of the loop can leave 64 bits."""
    if not len(columns):
        return True
    money = max(_largest(columns.value), _largest(columns.fee))
    return money < MONEY_LIMIT and _largest(columns.quantity) < QUANTITY_LIMIT


def exact_sum(column: Any) -> int:
    """The sum of a column without a limit: halves of 32 bits are summed apart."""
    if not isinstance(column, np.ndarray):
        return sum(column)
    return (int((column >> 32).sum()) << 32) + int((column & 0xFFFFFFFF).sum())


def _largest(column: Column) -> int:
    return max(int(column.max()), -int(column.min()))


def _run(match: Any, columns: FifoColumns, space: Any) -> FifoParts:
    rows = len(columns)
    parts_max = 2 * rows  # each part uses up an opening or a closing
    out = [space(parts_max) for _ in range(7)]
    opened_from, closed = space(rows), space(rows)
    count = match(
        columns.instrument, columns.sign, columns.quantity, columns.value, columns.fee, columns.closed,
        columns.closes_only, *out, opened_from, closed,
    )  # fmt: skip
    names = ("open_row", "close_row", "quantity", "open_from", "gross", "open_fee", "close_fee")
    cut = {name: column[:count] for name, column in zip(names, out, strict=True)}
    return FifoParts(**cut, opened_from=opened_from, closed=closed)


def _share(amount: int, upto: int, whole: int) -> int:
    """The share of a cumulative quantity, cut toward zero, without a product of two large numbers."""
    if amount < 0:
        return -(-amount // whole * upto + -amount % whole * upto // whole)
    return amount // whole * upto + amount % whole * upto // whole


def _match(  # type: ignore[no-untyped-def]
    instrument, sign, quantity, value, fee, closed_before, closes_only,
    open_row, close_row, part_quantity, open_from, gross, open_fee, close_fee, opened_from, closed,
):  # fmt: skip
    count = head = 0
    for row in range(len(quantity)):
        if row == 0 or instrument[row] != instrument[row - 1]:
            head = row
        used = 0
        closed[row] = closed_before[row]
        while head < row and used < quantity[row] and closed_before[row] == 0:
            whole = quantity[head] - opened_from[head]
            start = closed[head]
            if start == whole or whole == 0:
                head += 1
                continue
            if sign[head] == sign[row]:
                break
            taken = min(whole - start, quantity[row] - used)
            base_value = value[head] - _share(value[head], opened_from[head], quantity[head])
            base_fee = fee[head] - _share(fee[head], opened_from[head], quantity[head])
            opened = _share(base_value, start + taken, whole) - _share(base_value, start, whole)
            back = _share(value[row], used + taken, quantity[row]) - _share(value[row], used, quantity[row])
            open_row[count] = head
            close_row[count] = row
            part_quantity[count] = taken
            open_from[count] = start
            gross[count] = (back - opened) * sign[head]
            open_fee[count] = _share(base_fee, start + taken, whole) - _share(base_fee, start, whole)
            close_fee[count] = _share(fee[row], used + taken, quantity[row]) - _share(
                fee[row], used, quantity[row]
            )
            count += 1
            used += taken
            closed[head] = start + taken
        opened_from[row] = quantity[row] if closes_only[row] else used
    return count


@cache
def _compiled() -> Any:
    """The same source for 64-bit integers, compiled once per process (about two seconds, so small sessions
    never ask).
    """
    from numba import njit

    namespace = {**_match.__globals__, "_share": njit(_share)}  # the plain loop keeps the plain share
    return njit(FunctionType(_match.__code__, namespace, "_match"))


def _plain(columns: FifoColumns) -> FifoColumns:
    names = ("instrument", "sign", "quantity", "value", "fee", "closed", "closes_only")
    return FifoColumns(**{name: _as_list(getattr(columns, name)) for name in names})


def _as_list(column: Any) -> Sequence[int]:
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def _int64_space(rows: int) -> Column:
    return np.zeros(rows, dtype=np.int64)


def _list_space(rows: int) -> list[int]:
    return [0] * rows
