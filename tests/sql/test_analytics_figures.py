"""Ready queries on made-up rows: each broken promise is shown, and a restatement with both its figures."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from wrong_rows import AT, revisions

from adapters.clickhouse.client import Warehouse

FOLDER = Path(__file__).parents[2] / "sql" / "analytics"
BROKEN = {
    1: revisions(f"' ', 1, 1, {AT}, now()"),
    4: "insert into core.broker_statements (venue, account, to_date, from_date, statement_id, trade_rows) "
    "values ('ibkr', 'A', '2026-07-17', '2026-07-17', 's', 1)",
    5: revisions(*(f"'f{n}', 1, 1, {AT}, now()" for n in range(5))),
    6: "insert into audit.ingestion_batches (recorded_at, batch_id, total_rows, new_rows) "
    "values (now(), 'b', 2, 2), (now() + 60, 'b', 2, 1)",
}


def _broken_promises(warehouse: Warehouse) -> list[int]:
    rows = warehouse.rows((FOLDER / "11_fill_table_acceptance.sql").read_text(encoding="utf-8"))
    assert len(rows) == 6
    return [row["number"] for row in rows if not row["kept"]]


@pytest.mark.parametrize("number", sorted(BROKEN))
def test_a_broken_promise_of_the_fill_table_is_shown(warehouse: Warehouse, number: int) -> None:
    """An empty table keeps all promises; one wrong fact breaks exactly its own."""
    assert _broken_promises(warehouse) == []
    warehouse.command(BROKEN[number])
    assert _broken_promises(warehouse) == [number]


def _computed(warehouse: Warehouse, run: str, at: str, *realized: str) -> None:
    """A run of one session with the figures of its contracts, and the pointer to it."""
    for place, figure in enumerate(realized):
        warehouse.command(
            "insert into core.pnl_daily_versions (venue, account, session, run_id, instrument_id, currency, "
            "realized, computed_at) values ('ibkr', 'A', '2026-07-17', {run:String}, {name:String}, 'USD', "
            "{figure:Decimal(38, 9)}, {at:DateTime64(6)})",
            {"run": run, "name": f"i{place}", "figure": figure, "at": at},
        )
    warehouse.command(
        "insert into core.pnl_runs (venue, account, session, run_id, version) values "
        "('ibkr', 'A', '2026-07-17', {run:String}, toUnixTimestamp({at:DateTime64(6)}))",
        {"run": run, "at": at},
    )


def test_a_restatement_shows_both_figures_and_which_one_counts(warehouse: Warehouse) -> None:
    """The first run restates nothing, nor does a run of the same sum; each change is a row."""
    _computed(warehouse, "r1", "2026-07-18 10:00:00", "5", "2")
    _computed(warehouse, "r2", "2026-07-19 10:00:00", "4", "3")
    _computed(warehouse, "r3", "2026-07-20 10:00:00", "4", "2.5")
    _computed(warehouse, "r4", "2026-07-21 10:00:00", "9")
    rows = warehouse.rows((FOLDER / "12_pnl_restatements.sql").read_text(encoding="utf-8"))
    figures = [
        (row["realized_before"], row["realized_after"], row["restated_by"], row["run_id"]) for row in rows
    ]
    assert figures == [
        (Decimal(7), Decimal("6.5"), Decimal("-0.5"), "r3"),
        (Decimal("6.5"), Decimal(9), Decimal("2.5"), "r4"),
    ]
    assert [bool(row["is_current"]) for row in rows] == [False, True]


def _held(warehouse: Warehouse, session: str, instrument: str, realized: str, unrealized: str | None) -> None:
    """One contract of one session."""
    shown = "null" if unrealized is None else "{unrealized:Decimal(38, 9)}"
    values = {"session": session, "instrument": instrument, "realized": realized, "unrealized": unrealized}
    warehouse.command(
        "insert into core.pnl_daily_versions (venue, account, session, run_id, instrument_id, currency, "
        "realized, unrealized) values ('ibkr', 'A', {session:Date}, 'r', {instrument:String}, 'USD', "
        f"{{realized:Decimal(38, 9)}}, {shown})",
        {name: value for name, value in values.items() if value is not None},
    )
    warehouse.command(
        "insert into core.pnl_runs (venue, account, session, run_id, version) values "
        "('ibkr', 'A', {session:Date}, 'r', 1)",
        {"session": session},
    )


def test_mark_to_market_is_what_was_closed_and_the_change_in_what_is_held(warehouse: Warehouse) -> None:
    """From mark to mark: a day without a mark is no step, and what it realized counts in the next one."""
    _held(warehouse, "2026-07-15", "a", "0", "10")
    _held(warehouse, "2026-07-15", "b", "1", "0")
    _held(warehouse, "2026-07-16", "a", "-2", None)
    _held(warehouse, "2026-07-17", "a", "5", "4")
    _held(warehouse, "2026-07-20", "a", "0", "-3")
    rows = warehouse.rows((FOLDER / "13_mark_to_market.sql").read_text(encoding="utf-8"))
    assert [(str(row["since"]), str(row["session"]), row["mark_to_market"]) for row in rows] == [
        ("2026-07-15", "2026-07-17", Decimal(-3)),
        ("2026-07-17", "2026-07-20", Decimal(-7)),
    ]


def _heard(warehouse: Warehouse, number: int, status: str, filled: str) -> None:
    """One order as the broker told it."""
    line = {
        "account": "A", "order_ref": f"ref-{number}", "perm_id": str(number), "instrument_id": "i",
        "side": "BUY", "order_type": "LMT", "quantity": "2", "limit_price": "0.75", "status": status,
        "filled": filled,
    }  # fmt: skip
    warehouse.command(
        "insert into audit.outbox_entries (stream, kind, entry_ms, entry_seq, epoch, sequence, account, "
        "heard_at, payload) values ('s', 'order', {number:UInt64}, 0, 'e', {number:UInt64}, 'A', now(), "
        "{line:String})",
        {"number": number, "line": json.dumps(line)},
    )


def test_an_order_is_shown_beside_its_fills_and_a_difference_comes_first(warehouse: Warehouse) -> None:
    """Two orders of two: one whose fills say two, one of which a fill is missing."""
    for number, fills in ((1, ("0.70", "0.74")), (2, ("0.70",))):
        _heard(warehouse, number, "Filled", "2")
        for place, price in enumerate(fills):
            warehouse.command(
                "insert into core.fill_revisions (venue, account, session, source, kind, side, perm_id, "
                "fill_id, quantity, price, fill_ts) values ('ibkr', 'A', '2026-07-17', 'live', 'trade', "
                "'BUY', {perm_id:String}, {fill_id:String}, 1, {price:Decimal(38, 12)}, "
                "'2026-07-17 16:00:00')",
                {"perm_id": str(number), "fill_id": f"f{number}-{place}", "price": price},
            )
    rows = warehouse.rows((FOLDER / "14_orders_and_their_fills.sql").read_text(encoding="utf-8"))
    assert [
        (row["order_ref"], row["filled_by_broker"], row["filled_by_fills"], bool(row["differs"]))
        for row in rows
    ] == [("ref-2", 2, 1, True), ("ref-1", 2, 2, False)]
    assert rows[1]["average_by_fills"] == Decimal("0.72")


def test_a_day_shows_until_when_it_was_heard_and_which_files_told_it(warehouse: Warehouse) -> None:
    """Two answers of one day, the longer one counts; a statement of that day stands beside it."""
    warehouse.command(
        "insert into core.coverage (venue, account, source, start_at, end_at) values "
        "('ibkr', 'A', 'same_day', '2026-07-17 04:00:00', '2026-07-17 15:00:00'), "
        "('ibkr', 'A', 'same_day', '2026-07-17 04:00:00', '2026-07-17 20:30:00'), "
        "('ibkr', 'A', 'same_day', '2026-07-20 04:00:00', '2026-07-20 15:00:00'), "
        "('ibkr', 'A', 'statement', '2026-07-17 04:00:00', '2026-07-18 04:00:00')"
    )
    rows = warehouse.rows((FOLDER / "15_coverage_by_day.sql").read_text(encoding="utf-8"))
    assert [
        (str(row["day"]), row["told_until_new_york"], row["complete_answers"], row["told_by_files"])
        for row in rows
    ] == [("2026-07-20", "11:00:00", 1, []), ("2026-07-17", "16:30:00", 2, ["statement"])]
