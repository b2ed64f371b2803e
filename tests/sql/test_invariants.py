"""Each invariant is silent on right data, and each one speaks when its fact is broken."""

from datetime import timedelta
from decimal import Decimal

import pytest
from fill_samples import DAY, NOON, RECEIVED, batch, corrected_order, fee, fill
from market_samples import SAMPLES, SESSION, sample_entries
from wrong_market_rows import (
    MARKET_NEVER_BROKEN,
    MARKET_WARNINGS,
    POSSIBLE_GREEKS,
    WRONG_MARKET_ROWS,
)
from wrong_rows import AT, revisions

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.market_store import ClickHouseMarketStore
from adapters.quality.invariants import invariant_rules
from trading.model.fills import FillKind, Source
from trading.ports.model_runner import Severity


def facts(*rows: str) -> str:
    """An insert of fees: source, content hash, fill_id and amount of each."""
    head = (
        "insert into core.commission_facts (venue, account, commission_key, source, content_hash, fill_id, "
    )
    return f"{head} amount) values " + ", ".join(f"('ibkr', 'A', 'k', {row})" for row in rows)


BROKEN = {
    "blank_fill_ids": revisions(f"' ', 1, 1, {AT}, now()"),
    "quantity_without_a_bust": revisions(f"'f', 0, 1, {AT}, now()"),
    "price_zero_outside_bookings": revisions(f"'f', 1, 0, {AT}, now()"),
    "fill_times_out_of_session": revisions("'f', 1, 1, '2026-06-17 16:00:00', now()"),
    "fill_times_after_ingestion": revisions(f"'f', 1, 1, {AT}, '2026-07-17 15:00:00'"),
    "fill_seconds_clustered": revisions(*(f"'f{n}', 1, 1, {AT}, now()" for n in range(5))),
    "fees_without_a_fill": facts("'statement', 'aaaaaaaaaaaaaaaaaaaa', 'gone', 1"),
    "fee_signs_that_flip": facts(
        "'statement', 'aaaaaaaaaaaaaaaaaaaa', 'f', 1", "'live', 'aaaaaaaaaaaaaaaaaaab', 'f', -1"
    ),
    "batches_that_do_not_add_up": "insert into audit.ingestion_batches (recorded_at, total_rows, new_rows) "
    "values (now(), 2, 1)",
    "sessions_on_closed_days": revisions(f"'f', 1, 1, {AT}, now()").replace(
        "'2026-07-17', 'live'", "'2026-07-18', 'live'"
    ),
    "repeated_batches_that_added": "insert into audit.ingestion_batches (recorded_at, batch_id, total_rows, "
    "new_rows) values (now(), 'b', 2, 2), (now() + 60, 'b', 2, 1)",
    "statements_that_told_more_trades": "insert into core.broker_statements (venue, account, to_date, "
    "from_date, statement_id, trade_rows) values ('ibkr', 'A', '2026-07-17', '2026-07-17', 's', 1)",
    "statement_rows_without_a_statement": "insert into core.statement_positions "
    "(venue, account, statement_id, ingested_at) values ('ibkr', 'A', 's', now() - interval 2 day)",
    "outbox_numbers_with_gaps": "insert into audit.outbox_entries (stream, epoch, kind, sequence, entry_ms, "
    "entry_seq, heard_at) values ('s', 'e', 'link', 1, 1, 0, now()), ('s', 'e', 'link', 3, 2, 0, now())",
    **WRONG_MARKET_ROWS,
}
# The views guarantee the first three; a time to live removes what the last one would find.
NEVER_BROKEN = {
    "fills_not_unique",
    "commissions_not_unique",
    "fills_lost_by_the_view",
    "staging_left_behind",
    *MARKET_NEVER_BROKEN,
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


def test_right_market_data_break_no_invariant(warehouse: Warehouse) -> None:
    """Live rows told twice, a load, a bar that was replaced, contracts without model values."""
    store = ClickHouseMarketStore(warehouse)
    for is_repeat in (False, True):
        store.record(sample_entries(), (), is_repeat=is_repeat)
    for kind, row in SAMPLES.items():
        store.load(kind, SESSION, "lean", [row])
    warehouse.command(POSSIBLE_GREEKS)
    warehouse.command(
        "alter table core.quote_rows update stored_at = now() - 600 where 1 settings mutations_sync = 1"
    )
    assert broken(warehouse) == set()


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_fact_is_named(warehouse: Warehouse, name: str) -> None:
    """Data that breaks one fact makes its invariant speak."""
    warehouse.command(BROKEN[name])
    assert name in broken(warehouse)


def test_every_invariant_has_a_case_that_breaks_it() -> None:
    """Only what the schema guarantees by construction cannot be broken by data."""
    assert {script.name for script in sql.invariants()} - set(BROKEN) == NEVER_BROKEN


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


def test_an_invariant_that_only_warns_says_so() -> None:
    """The severity of its check is in its comment; all others are errors."""
    warning = {rule.name for rule in invariant_rules(()) if rule.severity is Severity.WARN}
    assert warning == {"statements_that_told_more_trades", *MARKET_WARNINGS}
