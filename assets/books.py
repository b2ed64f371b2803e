"""The books: P&L by the engine, then the comparison with the broker."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.landing import FILLS, OWNERS, STATEMENTS
from assets.metadata import asset_key, books_metadata, reconcile_metadata, told
from assets.sessions import FRESH, asked_or_all, exchange_sessions
from trading.ports.model_runner import TableName
from trading.ports.plots import Plots, PnlHistory
from trading.ports.table_census import TableCensus
from trading.services.compute_books import BookTools, compute_books
from trading.services.land_files import LandingTools, mark_reconciled
from trading.services.reconcile_books import ReconcileTools, reconcile_books

PNL = TableName(database="core", table="pnl_daily")
MATCHES = TableName(database="core", table="lot_matches")
POSITIONS = TableName(database="core", table="positions_eod")
NOW = TableName(database="core", table="positions")
CASH = TableName(database="core", table="cash_ledger")
PLOTTED_SESSIONS = 60  # a quarter of a year
BOOKS = {
    PNL: "P&L per account, session, contract and strategy: realized net of fees, unrealized at the "
    "statement's mark.",
    MATCHES: "Parts of openings closed by fills, first in first out, with the fees of both sides.",
    POSITIONS: "Our position per contract at the end of each session.",
    CASH: "Every movement of cash, with the running balance of its currency.",
}

BREAKS = TableName(database="core", table="breaks")
SIGN_OFFS = TableName(database="core", table="sign_offs")
RECONCILED = {
    BREAKS: "Differences from the broker's record as they stand: ours, theirs, cause, state.",
    SIGN_OFFS: "Standing of each session of each account: awaiting, provisional, reconciled or broken.",
}


def _book_spec(table: TableName, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(table),
        deps=[asset_key(FILLS), asset_key(STATEMENTS)],
        description=description,
        group_name="pnl",
        owners=OWNERS,
        kinds={"clickhouse", "python"},
        tags={"layer": "core"},
        code_version="1",
        freshness_policy=FRESH,
    )


@dg.multi_asset(
    name="compute_pnl",
    specs=[_book_spec(table, description) for table, description in BOOKS.items()],
    partitions_def=exchange_sessions(),
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="warehouse_writes",
)
def compute_pnl(
    context: dg.AssetExecutionContext,
    book: dg.ResourceParam[BookTools],
    census: dg.ResourceParam[TableCensus],
    pnl_history: dg.ResourceParam[PnlHistory],
    plots: dg.ResourceParam[Plots],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Compute every account up to the last asked session; only what changed, and what follows from it."""
    sessions = asked_or_all(context)
    report = compute_books(sessions.last, book)
    details = books_metadata(report)
    picture = plots.daily_pnl(
        pnl_history.points(sessions.last, PLOTTED_SESSIONS), f"P&L of the sessions up to {sessions.last}"
    )
    for table in BOOKS:
        drawn = {"daily P&L": dg.MetadataValue.md(picture)} if table == PNL else {}
        yield told(context, census.count(table, sessions), details, drawn)


@dg.multi_asset(
    name="reconcile",
    specs=[
        dg.AssetSpec(
            asset_key(table),
            deps=[asset_key(dep) for dep in (FILLS, STATEMENTS, PNL, MATCHES, POSITIONS, CASH)],
            description=description,
            group_name="reconciliation",
            owners=["team:middle-office"],
            kinds={"clickhouse", "python"},
            tags={"layer": "core"},
            code_version="1",
            freshness_policy=FRESH,
        )
        for table, description in RECONCILED.items()
    ],
    partitions_def=exchange_sessions(),
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="warehouse_writes",
)
def reconcile(
    context: dg.AssetExecutionContext,
    reconciliation: dg.ResourceParam[ReconcileTools],
    landing: dg.ResourceParam[LandingTools],
    census: dg.ResourceParam[TableCensus],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Compare every account with its broker; then the files that waited for it are done."""
    sessions = asked_or_all(context)
    waiting = landing.log.unreconciled()
    summary = reconcile_books(sessions, reconciliation)
    mark_reconciled(sessions, waiting, landing)
    for table in RECONCILED:
        yield told(context, census.count(table, sessions), reconcile_metadata(summary))


@dg.asset(
    key=asset_key(NOW),
    deps=[asset_key(POSITIONS)],
    description="Our position per contract after the last computed session of its account.",
    group_name="pnl",
    owners=OWNERS,
    kinds={"clickhouse", "view"},
    tags={"layer": "core"},
    code_version="1",
    freshness_policy=FRESH,
)
def positions(
    context: dg.AssetExecutionContext, census: dg.ResourceParam[TableCensus]
) -> dg.MaterializeResult[Any]:
    """Count the positions; the view needs no building."""
    return told(context, census.count(NOW))
