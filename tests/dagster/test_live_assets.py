"""The live capture as assets: counted, with lineage, holes named on the fills, checks that warn and pass."""

import dagster as dg
import pytest
from dagster_desk import DEFINITIONS, Desk, failed_checks, failures

SESSION = "2026-09-28"
LIVE = ("orders", "orders_live", "order_events", "account_values", "broker_positions", "coverage")
HOLES = "coverage_has_no_holes"
CHECKS = {"live_equals_statement", HOLES, "clock_is_the_brokers", "outbox_numbers_with_gaps"}
pytestmark = pytest.mark.timeout(600)


def _covered(desk: Desk, source: str, until: str) -> None:
    desk.warehouse.command(
        "insert into core.coverage (venue, account, source, start_at, end_at) values "
        "('ibkr', 'U1', {source:String}, '2026-09-28 04:00:00', {until:DateTime64(6, 'UTC')})",
        {"source": source, "until": until},
    )


def _materialized(result: dg.ExecuteInProcessResult, *key: str) -> dg.AssetMaterialization:
    for event in reversed(result.get_asset_materialization_events()):
        if event.asset_key == dg.AssetKey(list(key)):
            return event.step_materialization_data.materialization
    raise AssertionError(f"{key} was not materialized")


def test_what_was_told_live_descends_from_the_outbox() -> None:
    """Order events, account values and broker positions come from its entries; each check is there."""
    graph = DEFINITIONS.resolve_asset_graph()
    entries = dg.AssetKey(["audit", "outbox_entries"])
    for table in ("orders_live", "order_events", "account_values", "broker_positions", "coverage"):
        assert entries in graph.get_ancestor_asset_keys(dg.AssetKey(["core", table])), table
    assert {key.name for key in graph.asset_check_keys} >= CHECKS


def test_a_hole_is_named_until_a_statement_closes_it(desk: Desk) -> None:
    """Closing the books counts the live tables, warns of the hole, shows before and after on the fills."""
    _covered(desk, "same_day", "2026-09-28 18:00:00")
    first = desk.close_range(SESSION, SESSION)
    assert not failures(first)
    for table in LIVE:
        assert _materialized(first, "core", table).metadata["dagster/row_count"] is not None
    told = _materialized(first, "core", "fills").metadata
    assert (told["holes_before"].value, told["holes_after"].value) == (1, 1)
    assert "18:00:00 to 20:15:00" in told["holes left"].value
    (hole,) = [item for item in first.get_asset_check_evaluations() if item.check_name == HOLES]
    assert (hole.passed, hole.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert failed_checks(first) & CHECKS == {HOLES}
    _covered(desk, "statement", "2026-09-29 04:00:00")
    second = desk.close_range(SESSION, SESSION)
    told = _materialized(second, "core", "fills").metadata
    assert (told["holes_before"].value, told["holes_after"].value) == (1, 0)
    assert not failed_checks(second) & CHECKS
