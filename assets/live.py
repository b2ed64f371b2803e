"""What the broker session told, as assets with their checks: entries of the outbox, and the views over them.

Nothing is built here: the drain writes, and an insert is in every view at once. Materializing counts. The
checks hold the live capture against the statement, the trading hours, and the broker's clock.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.checks import quality_check_result
from assets.landing import FILLS, LANDED, OWNERS
from assets.metadata import asset_key, told
from assets.sessions import asked_sessions
from assets.shifts import COVERAGE
from trading.ports.model_runner import TableName
from trading.ports.table_census import TableCensus
from trading.services.check_live import (
    CLOCK_IS_THE_BROKERS,
    COVERAGE_HAS_NO_HOLES,
    LIVE_EQUALS_STATEMENT,
    LiveCheckTools,
    check_clock,
    check_coverage,
    check_live_equals_statement,
)

ENTRIES = TableName(database="audit", table="outbox_entries")
ORDERS = TableName(database="core", table="orders")
ORDERS_LIVE = TableName(database="core", table="orders_live")
ORDER_EVENTS = TableName(database="core", table="order_events")
ACCOUNT_VALUES = TableName(database="core", table="account_values")
BROKER_POSITIONS = TableName(database="core", table="broker_positions")
TOLD = {
    ENTRIES: ((), "Every entry of the broker session's outbox, as it was drained, exactly once."),
    ORDER_EVENTS: ((ENTRIES,), "Every word on an order: events, errors, and rows of answers about orders."),
    ORDERS_LIVE: ((ORDER_EVENTS,), "Each order as it was last told, by its reference and permanent number."),
    ORDERS: ((FILLS,), "Each order as its fills show it: quantity, notional and fees."),
    ACCOUNT_VALUES: ((ENTRIES,), "Figures of an account as the broker told them, one row each time."),
    BROKER_POSITIONS: ((ENTRIES,), "Positions in each answer of the broker; only a complete one says all."),
    COVERAGE: ((ENTRIES, LANDED), "Intervals that a source has told completely, by account."),
}


@dg.multi_asset(
    name="count_live",
    specs=[
        dg.AssetSpec(
            asset_key(table),
            deps=[asset_key(dep) for dep in deps],
            description=description,
            group_name="live",
            owners=OWNERS,
            kinds={"clickhouse"} if table in (ENTRIES, COVERAGE) else {"clickhouse", "view"},
            tags={"layer": table.database},
            code_version="1",
        )
        for table, (deps, description) in TOLD.items()
    ],
)
def count_live(
    context: dg.AssetExecutionContext, census: dg.ResourceParam[TableCensus]
) -> Iterator[dg.MaterializeResult[Any]]:
    """Count what was told; the tables are written by the drain, the views need no building."""
    for table in TOLD:
        yield told(context, census.count(table))


@dg.asset_check(
    asset=asset_key(FILLS),
    name=LIVE_EQUALS_STATEMENT.name,
    description=LIVE_EQUALS_STATEMENT.about,
)
def live_equals_statement(
    context: dg.AssetCheckExecutionContext, live_checks: dg.ResourceParam[LiveCheckTools]
) -> dg.AssetCheckResult:
    """Compare the sessions of the run."""
    return quality_check_result(check_live_equals_statement(live_checks, asked_sessions(context)))


@dg.asset_check(
    asset=asset_key(COVERAGE),
    name=COVERAGE_HAS_NO_HOLES.name,
    description=COVERAGE_HAS_NO_HOLES.about,
)
def coverage_has_no_holes(
    context: dg.AssetCheckExecutionContext, live_checks: dg.ResourceParam[LiveCheckTools]
) -> dg.AssetCheckResult:
    """Look at the sessions of the run."""
    return quality_check_result(check_coverage(live_checks, asked_sessions(context)))


@dg.asset_check(
    asset=asset_key(ENTRIES),
    name=CLOCK_IS_THE_BROKERS.name,
    description=CLOCK_IS_THE_BROKERS.about,
)
def clock_is_the_brokers(live_checks: dg.ResourceParam[LiveCheckTools]) -> dg.AssetCheckResult:
    """Judge the newest reading."""
    return quality_check_result(check_clock(live_checks))


LIVE_CHECKS = (live_equals_statement, coverage_has_no_holes, clock_is_the_brokers)
