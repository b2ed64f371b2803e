"""Counting what the broker's answers told: a number of each answer, beside the view that takes them apart."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from embedded_warehouse import start_migrated_warehouse  # noqa: E402

import sql  # noqa: E402
from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.clickhouse.table_census import COUNTED_BY  # noqa: E402
from trading.ports.model_runner import TableName  # noqa: E402

ROUNDS = 5
ANSWERS_TOLD, POSITIONS_EACH = 10_000, 100  # a month of answers every few minutes
ANSWERS = """
insert into audit.outbox_entries (stream, kind, entry_ms, entry_seq, epoch, sequence, account,
    heard_at, payload, received_at)
select
    's', 'answer', 1760000000000 + number * 300000, 0, 'e', number + 1, 'DU1',
    fromUnixTimestamp64Milli(toInt64(1760000000000 + number * 300000)),
    concat('{"question":"positions","completeness":"complete","accounts":["DU1"],"rows":[',
        arrayStringConcat(arrayMap(
        i -> concat('{"account":"DU1","conid":', toString(i), ',"symbol":"SPY","quantity":"1"}'),
        range({positions:UInt32})), ','), ']}'),
    now()
from numbers({answers:UInt64})
"""
POSITIONS = TableName(database="core", table="broker_positions")


def main() -> None:
    """Tell a month of positions, and count them both ways."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        server = start_migrated_warehouse(Path(folder) / "warehouse")
        try:
            client = Warehouse(server.url)
            client.command(ANSWERS, {"answers": ANSWERS_TOLD, "positions": POSITIONS_EACH})
            view_s = median(_timed(lambda: client.value(f"select count() from {POSITIONS}")))
            count_s = median(_timed(lambda: client.rows(sql.query(COUNTED_BY[POSITIONS]))))
        finally:
            server.stop()
    print(
        f"count of {ANSWERS_TOLD * POSITIONS_EACH:,} positions in {ANSWERS_TOLD:,} answers: "
        f"{count_s * 1000:.1f} ms, by the view {view_s * 1000:.0f} ms: {count_s / view_s:.3f} of its time"
    )


def _timed(work: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    main()
