"""Quotes on their way into the warehouse: `record` and `load` beside a bare insert of the same rows.

Bare is: the same cells, no identity, no session, no roll-up, nothing looked for. Measured by the wall and by
CPU (Python's and the engine's together), since neighbors disturb the second less. Then one minute that runs:
a batch each second, computed with each of them or, as the drain has it, when it is over.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from embedded_warehouse import RunningWarehouse, start_migrated_warehouse  # noqa: E402
from market_samples import SESSION, entry, quote  # noqa: E402

from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.clickhouse.market_columns import content_table  # noqa: E402
from adapters.clickhouse.market_store import ClickHouseMarketStore  # noqa: E402
from trading.model.market import MarketEntry, MarketKind, MarketRow, Quote  # noqa: E402

ROWS_WRITTEN = 200_000
ROWS_PER_BLOCK = 100
ROUNDS = 3
BATCHES, BLOCKS_PER_BATCH = 60, 20  # of the minute that runs: 2,000 quotes a second


class Cost(NamedTuple):
    """Seconds on the wall, and of CPU."""

    wall_s: float
    cpu_s: float


class Meter:
    """What work costs this process and the server."""

    def __init__(self, server: RunningWarehouse) -> None:
        self._pid = server.process.pid

    def of(self, work: Callable[[], object]) -> Cost:
        """Do it once."""
        began_s, cpu_s = time.perf_counter(), self._cpu_s()
        work()
        return Cost(time.perf_counter() - began_s, self._cpu_s() - cpu_s)

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(") ")[2].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = asked.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        server = start_migrated_warehouse(Path(folder) / "warehouse")
        try:
            client, meter = Warehouse(server.url), Meter(server)
            way_in(client, meter, rounds)
            running_minute(client, meter)
        finally:
            server.stop()


def way_in(client: Warehouse, meter: Meter, rounds: int) -> None:
    """Record and load beside a bare insert of the same rows, in turns."""
    entries = list(told_entries())
    rows = [row for one in entries for row in one.block.rows if isinstance(row, Quote)]
    store = ClickHouseMarketStore(client)
    names = ", ".join(content_table(MarketKind.QUOTE, rows[:1]).column_names)
    client.command(
        "create table core.bare engine = MergeTree order by (symbol, instrument_id, at) "
        f"as select {names} from core.quote_rows limit 0"
    )

    def bare() -> None:
        client.insert_arrow("core.bare", content_table(MarketKind.QUOTE, rows), f"bare-{time.time_ns()}")

    costs: dict[str, list[Cost]] = {"bare": [], "record": [], "record, all repeats": [], "load": []}
    for number in range(rounds):
        later = [shifted(one, timedelta(minutes=20 * number)) for one in entries]
        costs["bare"].append(meter.of(bare))
        costs["record"].append(meter.of(lambda told=later: store.record(told, (), is_repeat=False)))  # type: ignore[misc]
        costs["record, all repeats"].append(
            meter.of(lambda told=later: store.record(told, (), is_repeat=True))  # type: ignore[misc]
        )
        costs["load"].append(
            meter.of(lambda n=number: store.load(MarketKind.QUOTE, SESSION, f"l{n}", iter(rows)))  # type: ignore[misc]
        )
    print(f"way in, {len(rows):,} quotes in {len(entries):,} blocks, {rounds} rounds in turns")
    _tell(costs, len(rows))


def _tell(costs: dict[str, list[Cost]], rows: int) -> None:
    walls = {name: median(cost.wall_s for cost in told) for name, told in costs.items()}
    cpus = {name: median(cost.cpu_s for cost in told) for name, told in costs.items()}
    for name, wall_s in walls.items():
        print(
            f"  {name:20} {rows / wall_s:12,.0f} rows/s   of bare {walls['bare'] / wall_s:.2f}"
            f"   CPU {cpus[name] * 1000:6.0f} ms   of bare {cpus['bare'] / cpus[name]:.2f}"
        )


def running_minute(client: Warehouse, meter: Meter) -> None:
    """A batch each second of one minute, both ways, each in an hour of its own."""
    batches = list(_batches())
    for number, waits in enumerate((False, True), start=1):
        store = ClickHouseMarketStore(client, minutes_wait=waits)
        told = [[shifted(one, timedelta(hours=number)) for one in batch] for batch in batches]

        def record(into: ClickHouseMarketStore = store, batches: list[list[MarketEntry]] = told) -> None:
            for batch in batches:
                into.record(batch, (), is_repeat=False)
            into.settle(at_once=True)

        cost = meter.of(record)
        rows = BATCHES * BLOCKS_PER_BATCH * ROWS_PER_BLOCK
        name = "computed when it is over" if waits else "computed with each batch"
        print(
            f"a minute of {rows:,} quotes in {BATCHES} batches, {name}: "
            f"{cost.wall_s:.1f} s, CPU {cost.cpu_s:.2f} s, {cost.cpu_s / rows * 1e6:.1f} us a quote"
        )


def _batches() -> Iterator[list[MarketEntry]]:
    for second in range(BATCHES):
        yield [
            told_entry(second * BLOCKS_PER_BATCH + place, second + place / BLOCKS_PER_BATCH)
            for place in range(BLOCKS_PER_BATCH)
        ]


def told_entries() -> Iterator[MarketEntry]:
    """Blocks as a busy feed writes them."""
    for number in range(ROWS_WRITTEN // ROWS_PER_BLOCK):
        yield told_entry(number, number * 0.25 % 20_000)


def told_entry(number: int, second: float) -> MarketEntry:
    """A block of quotes of as many contracts."""
    rows = [
        quote(
            second + place / 1e6,
            f"{500 + (number + place) % 997 / 100:.2f}",
            f"{510 + (number * place) % 991 / 100:.2f}",
            instrument_id=f"OPT:SPY   261120C{place:08}",
        )
        for place in range(ROWS_PER_BLOCK)
    ]
    return entry(MarketKind.QUOTE, *rows, number=number)


def shifted(told: MarketEntry, later: timedelta) -> MarketEntry:
    """The same block later, as another entry of its stream."""
    milliseconds, _, place = told.entry_id.partition("-")
    return MarketEntry(
        stream=told.stream,
        entry_id=f"{int(milliseconds) + 10_000_000 + later // timedelta(milliseconds=1)}-{place}",
        epoch=told.epoch,
        sequence=told.sequence,
        block=replace(told.block, rows=_later(told.block.rows, later)),
    )


def _later(rows: Sequence[MarketRow], later: timedelta) -> tuple[MarketRow, ...]:
    return tuple(replace(row, at=row.at + later) if isinstance(row, Quote) else row for row in rows)


if __name__ == "__main__":
    main()
