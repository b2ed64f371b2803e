"""Reconciliation of 100,000 fills of one session, told live and by the statement, on an embedded server of
its own.

Peers in the same run: one scan of the same rows out of the warehouse as values, and the server's own scan of
them. The second check must find nothing new.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from embedded_warehouse import start_warehouse  # noqa: E402
from fill_samples import ACCOUNT, DAY, NOON, RECEIVED, fee, fill, option  # noqa: E402
from reconciled_desk import SETTINGS, Desk  # noqa: E402

from adapters.clickhouse.break_store import ClickHouseBreakStore  # noqa: E402
from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.clickhouse.fill_store import ClickHouseFillStore  # noqa: E402
from adapters.clickhouse.migrator import migrate  # noqa: E402
from adapters.clickhouse.pnl_store import ClickHousePnlStore  # noqa: E402
from adapters.clickhouse.statement_store import ClickHouseStatementStore  # noqa: E402
from adapters.memory.live_state import MemoryLiveState  # noqa: E402
from trading.model.fills import FillBatch, FillRevision, Side, Source, Venue  # noqa: E402
from trading.model.statements import BrokerStatement, StatementKind  # noqa: E402
from trading.services.reconcile_session import reconcile_session  # noqa: E402

FILLS = 100_000
CONTRACTS = 200
SERVER_SCAN = "select sum(cityHash64(*)) from core.fill_revisions where account = {account:String}"
Answer = TypeVar("Answer")


def main() -> None:
    """Measure and print; exit 1 where the check is wrong."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--fills", type=int, default=FILLS)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = start_warehouse(Path(folder))
        try:
            client = Warehouse(server.url)
            migrate(client)
            sys.exit(_measure(client, options.fills))
        finally:
            server.stop()


def _measure(client: Warehouse, count: int) -> int:
    desk = Desk(
        fills=ClickHouseFillStore(client),
        statements=ClickHouseStatementStore(client),
        pnl=ClickHousePnlStore(client),
        breaks=ClickHouseBreakStore(client),
        live_state=MemoryLiveState(),
    )
    _tell(desk, count)
    pnl_s, _ = _timed(lambda: desk.compute(ACCOUNT))
    scan_s, fills = _timed(lambda: desk.fills.fills(Venue.IBKR, ACCOUNT, [DAY]))
    server_s, _ = _timed(lambda: client.value(SERVER_SCAN, {"account": ACCOUNT}))
    first_s, first = _timed(
        lambda: reconcile_session(desk.reconcile_stores, SETTINGS, Venue.IBKR, ACCOUNT, DAY)
    )
    again_s, again = _timed(
        lambda: reconcile_session(desk.reconcile_stores, SETTINGS, Venue.IBKR, ACCOUNT, DAY)
    )
    print(
        f"P&L of {len(fills):,} fills, stored with all rows: {pnl_s:.1f} s, {len(fills) / pnl_s:,.0f} fills/s"
    )
    print(
        f"reconciliation of {len(fills):,} fills told twice: {first_s:.1f} s,"
        f" {first_s / scan_s:.1f}x one scan of the fills as values ({scan_s:.1f} s;"
        f" the server alone scans in {server_s:.2f} s); {first.fills_matched:,} matched,"
        f" {len(first.standing)} breaks, state {first.sign_off.state}"
    )
    print(f"again: {again_s:.1f} s, {len(again.new_events)} new events")
    planted = [event.found.difference for event in first.open_breaks]
    return int(planted != [Decimal("0.01")] or bool(again.new_events) or first.fills_matched != count)


def _tell(desk: Desk, count: int) -> None:
    """Every fill live and by the statement; one fee differs by a cent."""
    live = [_fill(number) for number in range(count)]
    fees = [fee(f"{item.fill_id}.01", item.fill_id, "0.65", source=Source.LIVE) for item in live]
    told = [replace(item, source=Source.STATEMENT) for item in live]
    stated = [replace(item, source=Source.STATEMENT) for item in fees]
    stated[count // 2] = replace(stated[count // 2], amount=Decimal("0.64"))
    desk.take_batch(
        FillBatch(
            venue=Venue.IBKR, source=Source.LIVE, origin="live", fills=tuple(live), commissions=tuple(fees)
        )
    )
    batch = FillBatch(
        venue=Venue.IBKR,
        source=Source.STATEMENT,
        origin="statement",
        fills=tuple(told),
        commissions=tuple(stated),
    )
    desk.take_statement(
        BrokerStatement(
            venue=Venue.IBKR, account=ACCOUNT, kind=StatementKind.ACTIVITY, query_name="bench", from_date=DAY,
            to_date=DAY, generated_at=RECEIVED, base_currency="USD", sha256="0" * 64, batch=batch,
        )
    )  # fmt: skip


def _fill(number: int) -> FillRevision:
    return fill(
        f"{number:08x}.01",
        instrument=option(10 + number % CONTRACTS),
        side=Side.BUY if number // CONTRACTS % 2 == 0 else Side.SELL,
        quantity=Decimal(1 + number % 5),
        price=Decimal(50 + number % 900) / 100,
        fill_ts=NOON + timedelta(milliseconds=number),
        transaction_id=str(10**9 + number),
        order_id=str(number // 3),
    )


def _timed(measured: Callable[[], Answer]) -> tuple[float, Answer]:
    start = time.perf_counter()
    answer = measured()
    return time.perf_counter() - start, answer


if __name__ == "__main__":
    main()
