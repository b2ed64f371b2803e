"""The keys of the market's tables do what they are for: a question reads its session, old rows go."""

import re
from datetime import timedelta

import pytest
from market_samples import HEARD, SESSION, entry, quote

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.model.market import MarketKind

DAYS = 3
QUOTES_PER_DAY = 40
KEPT_DAYS = {"quote_rows": 400, "depth_rows": 90}


@pytest.fixture
def week(warehouse: Warehouse) -> Warehouse:
    """Live quotes of three sessions, and a load of one of them, each merged as quiet minutes would do it."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    for day in range(DAYS):
        rows = [quote((day + 3) * 86_400 + n) for n in range(QUOTES_PER_DAY)]
        store.record([entry(MarketKind.QUOTE, *rows, number=day + 1)], (), is_repeat=False)
    rows = [quote(3 * 86_400 + n, "1") for n in range(QUOTES_PER_DAY)]
    store.load(MarketKind.QUOTE, SESSION + timedelta(days=3), "lean", rows)
    warehouse.command("optimize table core.quote_rows final")
    return warehouse


def plan(warehouse: Warehouse, question: str) -> str:
    """How the engine would answer."""
    return "\n".join(str(*row.values()) for row in warehouse.rows(f"explain indexes = 1 {question}"))


def test_a_session_is_all_that_a_question_about_it_reads(week: Warehouse) -> None:
    """Through the view, which reads each row once: partitions of other sessions are left out."""
    told = plan(
        week,
        f"select bid from core.quotes where symbol = 'SPY' and session = '{SESSION + timedelta(days=4)}'",
    )
    assert re.search(r"Parts: 1/4", told), told


def test_a_merged_session_is_read_as_it_lies(week: Warehouse) -> None:
    """Nothing is compared with other rows where a session is one part; rows that came since are."""
    question = "select count(), sum(bid) from core.quotes"
    pipeline = "\n".join(str(*row.values()) for row in week.rows(f"explain pipeline {question}"))
    assert "ReplacingSorted" not in pipeline
    store = ClickHouseMarketStore(week)
    store.record([entry(MarketKind.QUOTE, quote(3 * 86_400), number=99)], (), is_repeat=False)
    pipeline = "\n".join(str(*row.values()) for row in week.rows(f"explain pipeline {question}"))
    assert "Replacing" in pipeline, "rows that came since are compared"


def test_rows_go_when_they_were_kept_long_enough_whatever_their_session(week: Warehouse) -> None:
    """Retention counts from storing: a load of an old session is kept as long as any; the minutes stay."""
    week.command(
        "alter table core.quote_rows update stored_at = now() - interval 401 day "
        f"where session = '{SESSION + timedelta(days=4)}' settings mutations_sync = 1"
    )
    week.command("alter table core.quote_rows materialize ttl settings mutations_sync = 1")
    week.command("optimize table core.quote_rows final")
    kept = week.rows("select session, count() as rows from core.quotes group by session order by session")
    assert [(row["session"], row["rows"]) for row in kept] == [
        (SESSION + timedelta(days=3), 2 * QUOTES_PER_DAY),
        (SESSION + timedelta(days=5), QUOTES_PER_DAY),
    ]
    assert week.value("select sum(quotes) from core.quote_minutes") == (DAYS + 1) * QUOTES_PER_DAY


def test_raw_rows_have_a_retention_and_closed_sessions_merge_by_themselves(warehouse: Warehouse) -> None:
    """What grows without bound goes; what is asked for years stays."""
    tables = warehouse.rows(
        "select name, engine_full from system.tables where database = 'core' "
        "and partition_key like '%session, load_id%'"
    )
    assert {table["name"] for table in tables} == {"quote_rows", "trade_rows", "depth_rows", "chain_rows"}
    for table in tables:
        found = re.search(r"TTL stored_at \+ toIntervalDay\((\d+)\)", table["engine_full"])
        assert (int(found.group(1)) if found else None) == KEPT_DAYS.get(table["name"])
        assert "min_age_to_force_merge_seconds = 600" in table["engine_full"]
