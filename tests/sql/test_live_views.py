"""The views over drained entries say what the session heard, with nothing made up and nothing twice."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from drain_samples import OPEN, answer, event, execution, message, order, ordered, position, swept

import sql
from adapters.clickhouse.broker_event_store import ClickHouseBrokerEventStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.migrator import statements
from adapters.clickhouse.table_census import COUNTED_BY, ClickHouseTableCensus
from trading.model.broker import AccountValue, BrokerEventKind, OutboxEntry
from trading.ports.model_runner import TableName

KIND = BrokerEventKind


@pytest.fixture
def told(warehouse: Warehouse) -> Warehouse:
    """A warehouse into which a short session was drained, some of it twice."""
    events = [
        event(KIND.LINK, {"state": "ready", "code": 1102, "text": "restored", "client_id": 3}),
        event(KIND.COMMAND, {"command_id": "c1", "verb": "place", "outcome": "done", "reason": "sent"}),
        event(KIND.ALERT, {"code": "clock_skew", "text": "off"}),
        ordered(order("Submitted", "1")),
        event(
            KIND.ORDER_ERROR,
            {"order_ref": "sig:1", "perm_id": "1", "order_id": 12, "code": 201, "text": "no margin"},
            account="DU1",
        ),
        answer("completed_orders", [order("Cancelled", "2"), order("Filled", "3")]),
        answer("positions", [position("DU1", 1, "-2.5")]),
        answer("positions", [], "failed", reason="timeout"),
        answer("account_values", [AccountValue(account="DU2", name="Cash", value="1.50", currency="USD")]),
        swept(OPEN - timedelta(hours=1), OPEN),
        answer("executions", rows=(), count=7),
        message(execution("a.b.01.01")),
    ]
    entries = [
        OutboxEntry(stream="s", entry_id=f"{number}-0", epoch="e", sequence=number, event=told)
        for number, told in enumerate(events, start=1)
    ]
    store = ClickHouseBrokerEventStore(warehouse)
    store.record(entries, (), OPEN)
    store.record(entries[3:8], (), OPEN + timedelta(hours=1))
    return warehouse


def rows(warehouse: Warehouse, columns: str, view: str) -> list[tuple[Any, ...]]:
    """What a view shows, in the order of the stream."""
    found = warehouse.rows(f"select {columns} from {view} order by entry_ms, 1")
    return [tuple(row.values()) for row in found]


def test_each_word_on_an_order_is_there_with_who_told_it(told: Warehouse) -> None:
    """Events, errors and the rows of answers; figures as numbers, an error's code and text beside."""
    assert rows(
        told, "told_by, perm_id, status, limit_price, error_code, error_text", "core.order_events"
    ) == [
        ("order", "1", "Submitted", Decimal("0.75"), None, ""),
        ("order_error", "1", "", None, 201, "no margin"),
        ("completed_orders", "2", "Cancelled", Decimal("0.75"), None, ""),
        ("completed_orders", "3", "Filled", Decimal("0.75"), None, ""),
    ]


ODD_ROWS = (
    "insert into audit.outbox_entries (stream, kind, entry_ms, epoch, sequence, heard_at, payload) values "
    "('t', 'answer', 1, 'e', 1, '2026-11-13 15:00:00', "
    '\'{"question": "open_orders", "rows": [1, {"perm_id": "9", "account": "DU7"}, "x"]}\'), '
    "('t', 'answer', 2, 'e', 2, '2026-10-13 15:00:00', "
    '\'{"question": "account_values", "rows": [{"name": "Cash"}, null]}\'), '
    "('t', 'answer', 3, 'e', 3, '2026-10-13 15:00:00', '{\"question\": \"positions\"}')"
)


@pytest.mark.parametrize("table", [table.table for table in COUNTED_BY])
def test_a_count_that_takes_nothing_apart_is_the_views(told: Warehouse, table: str) -> None:
    """Repeats, answers that broke off, rows that are no objects, and entries that were there before alike."""
    for _ in range(2):
        told.command(ODD_ROWS, None, {"insert_deduplicate": 0})
    counted = ClickHouseTableCensus(told).count(TableName(database="core", table=table))
    assert counted.rows == told.value(f"select count() from core.{table}") > 0


@pytest.mark.parametrize("view", ["order_events", "order_lines"])
def test_words_on_orders_are_what_they_were_before_they_had_one_place(told: Warehouse, view: str) -> None:
    """The view as 0700 wrote it, beside the one that stands: the same columns, types and rows."""
    told.command(ODD_ROWS)
    live = next(script.text for script in sql.migrations() if script.name == "0700_live")
    first = next(text for text in statements(live) if f"view core.{view} as" in text)
    told.command(first.replace(f"core.{view} as", f"core.{view}_of_0700 as"))
    try:
        described = [told.rows(f"describe core.{name}") for name in (view, f"{view}_of_0700")]
        assert described[0] == described[1]
        read = [rows(told, "*", f"core.{name}") for name in (view, f"{view}_of_0700")]
        assert sorted(map(repr, read[0])) == sorted(map(repr, read[1]))
        assert len(read[0]) >= 4
    finally:
        told.command(f"drop view core.{view}_of_0700")


def test_an_order_stands_as_it_was_last_told(told: Warehouse) -> None:
    """One row for each; an error is no state."""
    found = told.rows("select perm_id, status, is_working, events from core.orders_live order by perm_id")
    assert [tuple(row.values()) for row in found] == [
        ("1", "Submitted", 1, 1),
        ("2", "Cancelled", 0, 1),
        ("3", "Filled", 0, 1),
    ]


def test_a_flat_account_is_told_from_one_that_nobody_asked_about(told: Warehouse) -> None:
    """It has an answer with no position; a broken answer is there as broken."""
    assert rows(told, "account, completeness, positions, reason", "core.broker_position_answers") == [
        ("DU1", "complete", 1, ""),
        ("DU2", "complete", 0, ""),
        ("DU1", "failed", 0, "timeout"),
        ("DU2", "failed", 0, "timeout"),
    ]
    held = "account, conid, quantity, average_cost"
    assert rows(told, held, "core.broker_positions_latest") == [
        ("DU1", 1, Decimal("-2.5"), Decimal("125.65"))
    ]


def test_what_happened_to_the_session_reads_as_a_story(told: Warehouse) -> None:
    """Links, commands and alerts with their code and text."""
    assert rows(told, "kind, state, command_id, outcome, code, text", "audit.broker_events") == [
        ("link", "ready", "", "", "1102", "restored"),
        ("command", "", "c1", "done", "", "sent"),
        ("alert", "", "", "", "clock_skew", "off"),
    ]


def test_answers_say_what_was_asked_how_much_came_and_for_when(told: Warehouse) -> None:
    """Executions are told one by one, so their answer has only their number."""
    found = rows(told, "question, completeness, rows_told, from_at", "audit.broker_answers")
    assert found == [
        ("completed_orders", "complete", 2, None),
        ("positions", "complete", 1, None),
        ("positions", "failed", 0, None),
        ("account_values", "complete", 1, None),
        ("executions", "complete", 0, OPEN - timedelta(hours=1)),
        ("executions", "complete", 7, None),
    ]


def test_an_entry_that_was_drained_twice_is_one(told: Warehouse) -> None:
    """In every view; the numbers of the stream have no gap."""
    assert told.value("select count() from audit.outbox_entries final") == 12
    assert told.value("select count() from audit.outbox_gaps") == 0
    assert rows(told, "account, name, amount", "core.account_values") == [("DU2", "Cash", Decimal("1.5"))]


def test_a_message_is_found_by_its_execution(told: Warehouse) -> None:
    """The places of its fields are those of the wire."""
    found = told.rows(
        "select message_type, exec_id, security_type from audit.outbox_entries final where exec_id != ''"
    )
    assert [tuple(row.values()) for row in found] == [("11", "a.b.01.01", "OPT")]


def test_entries_are_no_story_of_their_own(warehouse: Warehouse) -> None:
    """Without entries every view is empty, and none fails."""
    views = warehouse.rows(
        "select database, name from system.tables "
        "where engine = 'View' and match(create_table_query, 'outbox_entries|order_words')"
    )
    assert len(views) >= 8
    for view in views:
        assert warehouse.value(f"select count() from {view['database']}.{view['name']}") == 0


def test_what_was_heard_of_one_moment_is_told_as_it_was_heard(warehouse: Warehouse) -> None:
    """A clock may read the same twice: the places in the stream tell which word was first."""
    states = ("ready", "lost", "connecting", "adopting")
    heard = [event(KIND.LINK, {"state": state}) for state in states] + [swept(OPEN, OPEN)]
    heard += [event(KIND.LINK, {"state": "ready"})]
    entries = [
        OutboxEntry(stream="s", entry_id=f"{number}-0", epoch="e", sequence=number, event=told)
        for number, told in enumerate(heard, start=1)
    ]
    store = ClickHouseBrokerEventStore(warehouse)
    for each in reversed(entries):
        store.record([each], (), OPEN)
    found = warehouse.rows(sql.query("live_connection"), {"since": OPEN})
    assert [row["state"] or row["told"] for row in found] == [*states, "answer", "ready"]
