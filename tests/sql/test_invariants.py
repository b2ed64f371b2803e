"""Each invariant is silent on right data, and each one speaks when its fact is broken."""

from datetime import timedelta
from decimal import Decimal

import pytest
from fill_samples import DAY, NOON, RECEIVED, batch, corrected_order, fee, fill

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from trading.model.fills import FillKind, Source

REVISION = (
    "insert into core.fill_revisions (venue, account, session, fill_id, source, kind, side, quantity, price, "
)
REVISION += "asset_class, fill_ts, batch_id, received_at, ingested_at) values "
FACT = "insert into core.commission_facts (venue, account, commission_key, source, content_hash, fill_id, amount) values "
BROKEN = {
    "blank_fill_ids": REVISION
    + "('ibkr','A','2026-07-17',' ','live','trade','BUY',1,1,'option','2026-07-17 16:00:00','b',now(),now())",
    "quantity_without_a_bust": REVISION
    + "('ibkr','A','2026-07-17','f','live','trade','BUY',0,1,'option','2026-07-17 16:00:00','b',now(),now())",
    "price_zero_outside_bookings": REVISION
    + "('ibkr','A','2026-07-17','f','live','trade','BUY',1,0,'option','2026-07-17 16:00:00','b',now(),now())",
    "fill_times_out_of_session": REVISION
    + "('ibkr','A','2026-07-17','f','live','trade','BUY',1,1,'option','2026-06-17 16:00:00','b',now(),now())",
    "fill_times_after_ingestion": REVISION
    + "('ibkr','A','2026-07-17','f','live','trade','BUY',1,1,'option','2026-07-17 16:00:00','b',now(),'2026-07-17 15:00:00')",
    "fill_seconds_clustered": REVISION
    + ",".join(
        f"('ibkr','A','2026-07-17','f{n}','live','trade','BUY',1,1,'option','2026-07-17 16:00:00','b','2026-07-17 16:00:01',now())"
        for n in range(5)
    ),
    "fees_without_a_fill": FACT + "('ibkr','A','k','statement','aaaaaaaaaaaaaaaaaaaa','gone',1)",
    "fee_signs_that_flip": FACT
    + "('ibkr','A','k','statement','aaaaaaaaaaaaaaaaaaaa','f',1),('ibkr','A','k','live','aaaaaaaaaaaaaaaaaaab','f',-1)",
    "batches_that_do_not_add_up": "insert into audit.ingestion_batches (recorded_at, total_rows, new_rows) values (now(), 2, 1)",
    "statement_rows_without_a_statement": "insert into core.statement_positions (venue, account, statement_id, ingested_at) "
    "values ('ibkr', 'A', 's', now() - interval 2 day)",
    "staging_left_behind": "insert into core.fill_staging (attempt_id, staged_at, session) "
    "settings materialize_ttl_after_modify = 0 values ('a', now() - interval 3 day, '2026-07-17')",
}
BY_CONSTRUCTION = {
    "fills_not_unique",
    "commissions_not_unique",
    "fills_lost_by_the_view",
    "staging_left_behind",
}


def broken(warehouse: Warehouse) -> set[str]:
    """Names of the invariants that speak."""
    return {script.name for script in sql.invariants() if warehouse.rows(script.text)}


def test_right_data_breaks_no_invariant(warehouse: Warehouse) -> None:
    """Corrections, busts, bookings, rebates, repeats and fees before their fill are all lawful."""
    store = ClickHouseFillStore(warehouse)
    bust = [
        fill("c.01", trade_id="T9", transaction_id="50"),
        fill("flex:51", kind=FillKind.CANCEL, revision=0, transaction_id="51", cancels_trade_id="T9"),
    ]
    booked = fill("flex:60", kind=FillKind.BOOKING, revision=0, price=Decimal(0), transaction_id="60")
    store.record(
        batch([*bust, booked], [fee("x.01.01", "x.01", "1", source=Source.LIVE, session=None)]), RECEIVED
    )
    for _ in range(2):
        store.record(corrected_order(), RECEIVED)
    store.record(batch([fill(f"n{n}", fill_ts=NOON + timedelta(seconds=n)) for n in range(20)]), RECEIVED)
    assert broken(warehouse) == set()


@pytest.mark.parametrize("name", sorted(set(BROKEN) - BY_CONSTRUCTION))
def test_a_broken_fact_is_named(warehouse: Warehouse, name: str) -> None:
    """Data that breaks one fact makes its invariant speak."""
    warehouse.command(BROKEN[name])
    assert name in broken(warehouse)


def test_every_invariant_has_a_case_that_breaks_it() -> None:
    """Only what the views guarantee by construction cannot be broken by data."""
    assert {script.name for script in sql.invariants()} - set(BROKEN) == BY_CONSTRUCTION - {
        "staging_left_behind"
    }


def test_physical_repeats_are_measured_and_merge_away(warehouse: Warehouse) -> None:
    """Two plain inserts of one version are two rows until a merge, and one fill at any time."""
    for token in ("a", "b"):
        columns = ("venue", "account", "session", "fill_id", "content_hash", "fill_ts")
        row = ("ibkr", "A", DAY, "f", "a" * 20, NOON)
        warehouse.insert("core.fill_revisions", columns, [row], token)
    found = warehouse.rows(sql.query("physical_duplicates"))[0]
    assert (found["rows"], found["versions"]) == (2, 1)
    assert warehouse.value("select count() from core.fills") == 1
    warehouse.command("optimize table core.fill_revisions final")
    assert warehouse.rows(sql.query("physical_duplicates"))[0]["repeated_share"] == 0
