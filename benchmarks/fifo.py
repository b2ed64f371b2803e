"""FIFO P&L of a million fills: the compiled columns against a plain Python deque of integers, in one run.

Three orders of the same fills: grouped by contract (ordered rows), by time as they arrive (our time includes
the sort, the deque needs none), and shuffled (both sort). Totals must be identical. The last line is the
whole engine, rows and all.
"""

import argparse
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import numpy as np  # noqa: E402
from pnl_samples import CALL, PUT, SHARE, fill, run  # noqa: E402

from trading.pnl.bulk import FifoColumns, exact_sum, match_columns  # noqa: E402

FILLS = 1_000_000
CONTRACTS = 300
TIMES = 3  # of each measurement; the median counts
ENGINE_FILLS = 30_000
AIM_ORDERED, AIM_SORTED = 10.0, 2.0
# contract, sign, quantity, price x multiplier in 1e-9, fee in 1e-9
Rows = list[tuple[int, int, int, int, int]]


def main() -> None:
    """Measure and print; exit 1 where totals differ."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--fills", type=int, default=FILLS)
    options = asked.parse_args()
    contract, sign, quantity, unit, fee, at = _fills(options.fills)
    grouped = np.argsort(contract, kind="stable")
    match_columns(
        _columns(*(column[grouped][:1000] for column in (contract, sign, quantity, unit, fee)))
    )  # compile
    shuffled = np.random.default_rng(3).permutation(options.fills)
    orders: tuple[tuple[str, Any, Callable[[Any], Any], bool, float], ...] = (
        ("ordered rows", grouped, lambda _: slice(None), False, AIM_ORDERED),
        (
            "by time, with our sort",
            slice(None),
            lambda told: np.argsort(told[0], kind="stable"),
            False,
            AIM_SORTED,
        ),
        ("shuffled, both sort", shuffled, lambda told: np.lexsort((told[5], told[0])), True, AIM_SORTED),
    )
    failed = False
    for name, order, sort, deque_sorts, aim in orders:
        told = tuple(column[order] for column in (contract, sign, quantity, unit, fee, at))
        ours_s, ours = _median(lambda told=told, sort=sort: _ours(told, sort))
        rows = list(zip(*(column.tolist() for column in told), strict=True))
        peer_s, peer = _median(lambda rows=rows, by_time=deque_sorts: _deque(rows, by_time))
        failed |= ours != peer
        same = "identical totals" if ours == peer else f"TOTALS DIFFER {ours} {peer}"
        print(
            f"fifo {options.fills:,} fills, {name}: columns {ours_s:.3f} s, deque of integers {peer_s:.3f} s,"
            f" ratio {peer_s / ours_s:.1f}x (aim {aim:.0f}x), {same}"
        )
    _whole_engine()
    sys.exit(int(failed))


def _fills(count: int) -> tuple[Any, ...]:
    generator = np.random.default_rng(7)
    contract = generator.integers(0, CONTRACTS, count)
    sign = generator.choice(np.array([-1, 1]), count)
    quantity = generator.integers(1, 20, count)
    unit = generator.integers(1, 5000, count) * 10**9  # cents x multiplier 100
    fee = generator.integers(-(10**8), 2 * 10**9, count)
    return contract, sign, quantity, unit, fee, np.arange(count)


def _columns(contract: Any, sign: Any, quantity: Any, unit: Any, fee: Any) -> FifoColumns:
    nothing = np.zeros(len(sign), dtype=np.int64)
    return FifoColumns(
        instrument=contract, sign=sign, quantity=quantity, value=quantity * unit, fee=fee, closed=nothing,
        closes_only=nothing,
    )  # fmt: skip


def _ours(told: tuple[Any, ...], sort: Callable[[Any], Any]) -> tuple[int, int]:
    order = sort(told)
    parts = match_columns(_columns(*(column[order] for column in told[:5])))
    return exact_sum(parts.gross), exact_sum(parts.open_fee) + exact_sum(parts.close_fee)


def _deque(rows: list[Any], by_time: bool) -> tuple[int, int]:
    """What anybody would write: a queue of lots per contract, in integers; fees split by the same rule."""
    if by_time:
        rows = sorted(rows, key=lambda row: row[5])
    queues: dict[int, deque[list[int]]] = {}
    gross = fees = 0
    for contract, sign, quantity, unit, fee, _ in rows:
        queue = queues.get(contract)
        if queue is None:
            queue = queues[contract] = deque()
        used = 0
        while used < quantity and queue and queue[0][0] != sign:
            lot = queue[0]
            taken = min(lot[1] - lot[2], quantity - used)
            gross += (unit - lot[3]) * taken * lot[0]
            fees += _share(lot[4], lot[2] + taken, lot[1]) - _share(lot[4], lot[2], lot[1])
            fees += _share(fee, used + taken, quantity) - _share(fee, used, quantity)
            used += taken
            lot[2] += taken
            if lot[2] == lot[1]:
                queue.popleft()
        if used < quantity:
            queue.append([sign, quantity - used, 0, unit, fee - _share(fee, used, quantity)])
    return gross, fees


def _share(amount: int, upto: int, whole: int) -> int:
    return amount * upto // whole if amount >= 0 else -(-amount * upto // whole)


def _median(measured: Callable[[], Any]) -> tuple[float, Any]:
    times, result = [], None
    for _ in range(TIMES):
        start = time.perf_counter()
        result = measured()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def _whole_engine() -> None:
    generator = np.random.default_rng(5)
    fills = [
        fill(number, int(quantity) or 1, int(price), (CALL, PUT, SHARE)[number % 3], fee="0.7")
        for number, (quantity, price) in enumerate(
            zip(generator.integers(-9, 9, ENGINE_FILLS), generator.integers(1, 99, ENGINE_FILLS), strict=True)
        )
    ]
    start = time.perf_counter()
    _, result = run(fills, bulk_from=0)
    took_s = time.perf_counter() - start
    print(
        f"engine with all rows (lots, matches, cash, daily): {ENGINE_FILLS:,} fills in {took_s:.2f} s,"
        f" {ENGINE_FILLS / took_s:,.0f} fills/s, {len(result.matches):,} matches"
    )


if __name__ == "__main__":
    main()
