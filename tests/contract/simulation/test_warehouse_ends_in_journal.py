"""The sample desk through every store and use case on a real embedded warehouse ends in its journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_warehouse import start_migrated_warehouse
from reconciled_desk import FIRST, LAST, SETTINGS, Desk

from adapters.clickhouse.break_store import ClickHouseBreakStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.pnl_store import ClickHousePnlStore
from adapters.clickhouse.statement_store import ClickHouseStatementStore
from adapters.inbox.reader import VenueFileReader
from adapters.memory.live_state import MemoryLiveState
from simulation.sample_desk import Journal, compare, write_sample_desk
from trading.model.fills import Venue
from trading.services.compute_pnl import compute_pnl
from trading.services.reconcile_session import reconcile_range

ENDING_CASH = (
    "select account, session, currency, argMax(balance, place) as ending"
    " from core.cash_ledger group by account, session, currency"
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """An embedded server of its own, migrated."""
    pytest.importorskip("chdb", reason="the embedded engine is not installed")
    running = start_migrated_warehouse(tmp_path_factory.mktemp("warehouse"))
    client = Warehouse(running.url)
    yield client
    running.stop()


@pytest.fixture(scope="module")
def desk(warehouse: Warehouse) -> Desk:
    """A desk on the warehouse of this module."""
    return Desk(
        fills=ClickHouseFillStore(warehouse),
        statements=ClickHouseStatementStore(warehouse),
        pnl=ClickHousePnlStore(warehouse),
        breaks=ClickHouseBreakStore(warehouse),
        live_state=MemoryLiveState(),
    )


@pytest.fixture(scope="module")
def journal(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """Four sessions of one account with every planted break, ingested, computed and reconciled."""
    directory = tmp_path_factory.mktemp("desk")
    written = write_sample_desk(directory, seed=2, sessions=4, accounts=1)
    assert len(written.planted) == 9
    _take_all(desk, directory / "inbox")
    for account in written.accounts:
        desk.reconcile(str(account["name"]))
    return written


def test_fills_are_the_journals(warehouse: Warehouse, journal: Journal) -> None:
    """Every fill of every venue once, with final quantity, price, time, fees and bust."""
    rows = warehouse.rows("select * from core.fills")
    assert _told(compare(journal, fills=rows)) == []


def test_profit_and_positions_are_the_journals(warehouse: Warehouse, journal: Journal) -> None:
    """Realized, fees, quantities and end positions per account, session and contract."""
    assert _told(compare(journal, pnl_daily=warehouse.rows("select * from core.pnl_daily"))) == []


def test_cash_is_the_journals(warehouse: Warehouse, journal: Journal) -> None:
    """The ledger's balance of every currency and evening."""
    assert _told(compare(journal, cash=warehouse.rows(ENDING_CASH))) == []


def test_breaks_are_the_planted_ones(warehouse: Warehouse, journal: Journal) -> None:
    """Exactly the journal's list, by kind, place, size and state."""
    assert _told(compare(journal, breaks=warehouse.rows("select * from core.breaks"))) == []


def test_the_venues_accounts_are_signed_off_on_their_own_word(
    warehouse: Warehouse, desk: Desk, journal: Journal
) -> None:
    """Every session of both is reconciled with the positions that the venue told on the morning after."""
    for venue, account in ((Venue.KALSHI, "kalshi-main"), (Venue.KRAKEN, "kraken-main")):
        compute_pnl(desk.pnl_stores, venue, account, LAST)
        reports = reconcile_range(desk.reconcile_stores, SETTINGS, venue, account, FIRST, LAST)
        assert [str(report.sign_off.state) for report in reports] == ["reconciled"] * 4
        assert all(report.fills_matched for report in reports)
        again = reconcile_range(desk.reconcile_stores, SETTINGS, venue, account, FIRST, LAST)
        assert not any(report.new_events for report in again)
    assert _told(compare(journal, breaks=warehouse.rows("select * from core.breaks"))) == []


def _take_all(desk: Desk, inbox: Path) -> None:
    reader = VenueFileReader()
    for path in sorted(path for path in inbox.rglob("*") if path.is_file()):
        file = reader.read(path.read_bytes(), path.relative_to(inbox).as_posix())
        for batch in file.batches:
            desk.take_batch(batch)
        for statement in file.statements:
            desk.statements.record(statement, desk.clock.now())


def _told(differences: tuple[object, ...]) -> list[str]:
    return [str(item) for item in differences]
