"""FIFO over columns: the compiled loop, the plain loop and a deque of units say the same; nothing overflows
quietly.
"""

from collections import deque

import numpy as np
import pytest

from trading.pnl.bulk import FifoColumns, exact_sum, fits_64_bit, match_columns


def _columns(seed: int, rows: int, value: int = 10**9) -> FifoColumns:
    generator = np.random.default_rng(seed)
    quantity = generator.integers(1, 9, rows)
    return FifoColumns(
        instrument=np.sort(generator.integers(0, 5, rows)),
        sign=generator.choice(np.array([-1, 1]), rows),
        quantity=quantity,
        value=quantity * generator.integers(1, 500, rows) * value,
        fee=generator.integers(-(10**9), 10**9, rows),
        closed=np.zeros(rows, dtype=np.int64),
        closes_only=np.zeros(rows, dtype=np.int64),
    )


def _unit_by_unit(columns: FifoColumns) -> int:
    """Gross P&L with one queue entry per unit: slow, and too simple to be wrong."""
    queues: dict[int, deque[tuple[int, int]]] = {}
    total = 0
    for row in range(len(columns)):
        queue = queues.setdefault(int(columns.instrument[row]), deque())
        price = int(columns.value[row]) // int(columns.quantity[row])
        sign = int(columns.sign[row])
        for _ in range(int(columns.quantity[row])):
            if queue and queue[0][0] != sign:
                opened_sign, opened_price = queue.popleft()
                total += (price - opened_price) * opened_sign
            else:
                queue.append((sign, price))
    return total


@pytest.mark.parametrize("seed", range(5))
def test_columns_agree_with_a_queue_of_units(seed: int) -> None:
    """The k-th unit closed is the k-th unit opened."""
    columns = _columns(seed, 400)
    assert exact_sum(match_columns(columns).gross) == _unit_by_unit(columns)


def test_what_does_not_fit_goes_to_plain_integers_and_stays_exact() -> None:
    """Values near the limit are refused by the compiled loop and added up without one."""
    columns = _columns(1, 400, value=10**15)
    assert not fits_64_bit(columns)
    parts = match_columns(columns)
    assert isinstance(parts.gross, list)
    assert exact_sum(parts.gross) == _unit_by_unit(columns)


def test_sums_of_64_bit_columns_do_not_wrap() -> None:
    """Four times 2**62 is 2**64, not zero."""
    column = np.full(4, 2**62, dtype=np.int64)
    assert exact_sum(column) == 2**64
    assert exact_sum(-column) == -(2**64)


def test_no_rows_are_no_parts() -> None:
    """An empty session is no special case."""
    empty = _columns(1, 0)
    assert len(match_columns(empty).gross) == 0
