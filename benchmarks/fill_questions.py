"""Questions to core.fills and to every view, in CPU: on an empty warehouse it is planning, then with fills.

CPU of one query as the server counts it (a busy neighbor disturbs it less than time), the least of some
rounds. Each question to core.fills stands beside a bare scan of core.fill_revisions that asks the same in the
same run: the ratio is the price of picking one version, its cancels and its fees.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tests" / "support")]

from embedded_warehouse import start_migrated_warehouse  # noqa: E402
from fills_ingest import HISTORY, option, wait_for_merges  # noqa: E402

from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.clickhouse.instruments import instrument_text  # noqa: E402

ROWS = 200_000  # fills of one account in 250 sessions
ROUNDS = 5
FEES = """
insert into core.commission_facts (venue, account, session, commission_key, source, content_hash, fill_id,
    amount, currency, raw, batch_id, received_at)
select venue, account, session, exec_id, source, content_hash, fill_id, 1.05, 'USD', '{}', 'history',
    received_at
from core.fill_revisions
"""
FIGURES = "count(), sum(quantity), min(price), max(fill_ts)"
ASKED = {
    "all fills": "true",
    "one account's session": "account = 'HISTORY' and session = '2025-03-03'",
    "one fill": "account = 'HISTORY' and fill_id = (select min(fill_id) from core.fill_revisions)",
    "an account without fills": "account = 'NOBODY'",
}


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=ROWS)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        running = start_migrated_warehouse(Path(folder))
        try:
            client = Warehouse(running.url)
            empty = cpu_ms(client, views(client))
            tell(client, options.rows)
            show(empty, cpu_ms(client, views(client)), options.rows)
            compare(client, options.rows)
        finally:
            running.stop()


def views(client: Warehouse) -> dict[str, str]:
    """A question to each view of fills, orders, positions, results and the one tape."""
    named = client.rows(
        "select concat(database, '.', name) as name from system.tables where engine = 'View' "
        "and database in ('core', 'marts') order by name"
    )
    return {row["name"]: f"select * from {row['name']} limit 10" for row in named}


def tell(client: Warehouse, rows: int) -> None:
    """A history of fills, each with its fee."""
    client.command(HISTORY, {"instrument": instrument_text(option(0)), "start": 0, "rows": rows})
    client.command(FEES)
    wait_for_merges(client)


def compare(client: Warehouse, rows: int) -> None:
    """Questions to core.fills beside the bare scan."""
    print(f"core.fills beside a bare scan of its table, {rows:,} fills; CPU ms, ratio")
    for name, condition in ASKED.items():
        cost = cpu_ms(
            client,
            {
                table: f"select {FIGURES} from core.{table} where {condition}"
                for table in ("fills", "fill_revisions")
            },
        )
        view, scan = cost["fills"], cost["fill_revisions"]
        print(f"  {name:28s} {view:9.1f} {scan:9.1f} {view / scan:8.1f}x")


def cpu_ms(client: Warehouse, questions: Mapping[str, str]) -> dict[str, float]:
    """The least CPU of each question over some rounds, as the query log has it."""
    run = uuid4().hex
    for _ in range(ROUNDS):
        for name, text in questions.items():
            client.rows(f"/* {run} {name} */ {text}")
    client.command("system flush logs")
    found = client.rows(
        "select splitByChar(' ', query)[3] as name, "
        "min(ProfileEvents['OSCPUVirtualTimeMicroseconds']) / 1000 as cpu_ms from system.query_log "
        f"where type = 'QueryFinish' and startsWith(query, '/* {run} ') group by name"
    )
    return {row["name"]: row["cpu_ms"] for row in found}


def show(empty: Mapping[str, float], full: Mapping[str, float], rows: int) -> None:
    """The table of views."""
    print(f"CPU ms of a view: on an empty warehouse, with {rows:,} fills")
    for name, cost in sorted(empty.items()):
        print(f"  {name:36s} {cost:8.1f} {full[name]:9.1f}")


if __name__ == "__main__":
    main()
