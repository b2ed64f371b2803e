"""Models, their tests and the quality rules against wrong rows: what is wrong is found, and nothing else."""

import dataclasses
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.dbapi.cursor import Cursor
from dagster_desk import Desk, failed_checks, failures

import dbt_like_models
import sql
from adapters.clickhouse.model_project import ModelProject
from adapters.clickhouse.model_runner import ClickHouseModelRunner
from adapters.clickhouse.table_census import ClickHouseTableCensus
from adapters.configuration import load_settings
from adapters.quality.expectations import BY_NAME, GreatExpectationsGate
from adapters.quality.invariants import InvariantGate, invariant_rules
from adapters.quality.rules import FILLS, MATCHES, RULES, SIGN_OFFS
from trading.errors import WarehouseError
from trading.ports.model_runner import SessionRange, Severity, TableName
from trading.ports.quality import QualityResult

MARCH = SessionRange(first=date(2026, 3, 2), last=date(2026, 3, 31))
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def runner(desk: Desk) -> ClickHouseModelRunner:
    """All models, built once on empty tables."""
    project = ModelProject(dbt_like_models.FOLDER)
    runner = ClickHouseModelRunner(project, desk.warehouse)
    for spec in project.specs:
        runner.run(spec.name)
    return runner


def _write_pnl(desk: Desk, session: date, realized: str, run: str = "r1", instrument: str = "OPT:X") -> None:
    """One row of P&L with the match that makes it, and the pointer to both."""
    values = {"session": session, "run": run, "realized": realized, "instrument": instrument}
    for text in (
        """insert into core.pnl_daily_versions (venue, account, session, run_id, instrument_id, strategy,
            symbol, currency, position_end, gross_realized, realized, computed_at)
            values ('ibkr', 'A', {session:Date}, {run:String}, {instrument:String}, 's', 'X', 'USD', 0,
            {realized:Decimal(38, 9)}, {realized:Decimal(38, 9)}, now64(6))""",
        """insert into core.lot_match_versions (venue, account, session, run_id, match_id, instrument_id,
            strategy, currency, direction, kind, open_fill_id, close_fill_id, open_ts, close_ts,
            open_session, quantity, gross_realized, realized, computed_at)
            values ('ibkr', 'A', {session:Date}, {run:String},
            concat({run:String}, {instrument:String}, toString({session:Date})), {instrument:String},
            's', 'USD',
            'long', 'expiry', 'o', 'c', toDateTime64({session:Date}, 6, 'UTC'),
            toDateTime64({session:Date}, 6, 'UTC') + 60, {session:Date}, 1, {realized:Decimal(38, 9)},
            {realized:Decimal(38, 9)}, now64(6))""",
        """insert into core.pnl_runs (venue, account, session, run_id, version, computed_at)
            values ('ibkr', 'A', {session:Date}, {run:String}, toUnixTimestamp64Micro(now64(6)), now64(6))""",
    ):
        bound = {name: value for name, value in values.items() if f"{{{name}:" in text}
        desk.warehouse.command(text, bound)


def _daily(desk: Desk) -> list[tuple[str, str]]:
    rows = desk.warehouse.rows("select session, realized from marts.daily_pnl order by session, realized")
    return [(str(row["session"]), str(row["realized"].normalize())) for row in rows]


def test_an_incremental_model_replaces_its_months_and_leaves_the_others(
    desk: Desk, runner: ClickHouseModelRunner
) -> None:
    """Repeats double nothing, a correction replaces, a month outside of the range keeps its rows."""
    _write_pnl(desk, date(2026, 2, 27), "5")
    _write_pnl(desk, date(2026, 3, 2), "7")
    runner.run("daily_pnl")
    assert _daily(desk) == [("2026-02-27", "5"), ("2026-03-02", "7")]
    _write_pnl(desk, date(2026, 3, 2), "8", run="r2")
    _write_pnl(desk, date(2026, 2, 27), "6", run="r2")
    for _ in range(2):
        report = runner.run("daily_pnl", MARCH)
        assert report.replaced_partitions == ("202603",)
        assert _daily(desk) == [("2026-02-27", "5"), ("2026-03-02", "8")]
    assert not desk.warehouse.rows("select name from system.tables where name like '%__build_%'")


def test_a_month_that_became_empty_is_emptied(desk: Desk, runner: ClickHouseModelRunner) -> None:
    """Rows that the facts do not hold any more go, though nothing new takes their place."""
    _write_pnl(desk, date(2026, 3, 2), "8", run="")
    runner.run("daily_pnl", MARCH)
    assert [session for session, _ in _daily(desk)] == ["2026-02-27"]


def test_the_curve_the_trips_and_the_sums_agree(desk: Desk, runner: ClickHouseModelRunner) -> None:
    """All models build on real rows, and all their tests hold."""
    for day, realized in ((2, "10"), (3, "-4"), (4, "1")):
        _write_pnl(desk, date(2026, 3, day), realized, run=f"n{day}")
    project = ModelProject(dbt_like_models.FOLDER)
    for spec in project.specs:
        runner.run(spec.name)
    broken = [found for spec in project.specs for found in runner.test(spec.tests) if not found.passed]
    assert not broken
    curve = desk.warehouse.rows("select * from marts.equity_curve order by session")
    assert [str(row["drawdown"].normalize()) for row in curve][-2:] == ["-4", "-3"]
    assert desk.warehouse.value("select sum(round_trips) from marts.strategy_trades") == 4


def test_a_model_test_that_fails_names_its_rows(desk: Desk, runner: ClickHouseModelRunner) -> None:
    """A row of P&L without its match turns the sum test red, and says which session."""
    one = "(select * from marts.daily_pnl where session = '2026-03-02')"
    desk.warehouse.command(
        f"insert into marts.daily_pnl select * replace (toDate('2026-03-05') as session) from {one}"
    )
    spec = ModelProject(dbt_like_models.FOLDER).spec("daily_pnl")
    found = {outcome.test.name: outcome for outcome in runner.test(spec.tests)}
    assert not found["pnl_adds_up"].passed
    assert "2026-03-05" in found["pnl_adds_up"].sample[0]
    assert found["daily_pnl_realized_not_null"].passed
    runner.run("daily_pnl")


WRONG = {
    "fill_ids_are_not_blank": {"fill_id": " "},
    "quantities_are_above_zero": {"quantity": -1},
    "multipliers_are_above_zero": {"multiplier": 0},
    "fill_times_lie_near_their_session": {"session": date(2026, 1, 5)},
    "prices_of_zero_are_bookings": {"price": 0},
}


def _write_fill(desk: Desk, **changes: Any) -> None:
    row: dict[str, Any] = {
        "venue": "ibkr", "account": "A", "session": date(2026, 3, 2), "fill_id": "f", "revision": 1,
        "source": "statement", "content_hash": "0" * 20, "kind": "trade", "instrument_id": "OPT:X",
        "side": "BUY",
        "quantity": 1, "price": 2, "multiplier": 100, "currency": "USD", **changes,
    }  # fmt: skip
    columns: Sequence[str] = (*row, "fill_ts", "received_at")
    marks = ", ".join(f"{{{name}:{_kind(value)}}}" for name, value in row.items())
    times = "toDateTime64('2026-03-02 15:00:00', 6, 'UTC'), toDateTime64('2026-03-02 21:00:00', 6, 'UTC')"
    desk.warehouse.command(
        f"insert into core.fill_revisions ({', '.join(columns)}) values ({marks}, {times})", row
    )


def _kind(value: object) -> str:
    if isinstance(value, int):
        return "Int32"
    return "Date" if isinstance(value, date) else "String"


def test_a_right_fill_passes_every_rule(desk: Desk) -> None:
    """Nothing is found where nothing is wrong."""
    desk.warehouse.command("truncate table core.fill_revisions")
    _write_fill(desk)
    assert _failed(FILLS) == {}
    desk.warehouse.command("truncate table core.fill_revisions")


def _fills_found(desk: Desk, rule: str) -> list[str]:
    """Which fills the rule's own SQL names: the tool that applies it only counts them."""
    query = BY_NAME[rule].query.format(batch="core.fills")
    return sorted(row["fill_id"] for row in desk.warehouse.rows(query))


def test_each_wrong_fill_is_found_by_its_rule_alone(desk: Desk) -> None:
    """A right fill and five that are wrong in one thing each: every rule finds its own and no other."""
    desk.warehouse.command("truncate table core.fill_revisions")
    _write_fill(desk)
    for rule, wrong in WRONG.items():
        _write_fill(desk, **{"fill_id": rule, **wrong})
    failed = _failed(FILLS)
    assert {name: result.failing_rows for name, result in failed.items()} == dict.fromkeys(WRONG, 1)
    assert [name for name, result in failed.items() if len(result.sample) != 1] == []  # a person sees the row
    assert {rule: _fills_found(desk, rule) for rule in WRONG} == {
        rule: [wrong.get("fill_id", rule)] for rule, wrong in WRONG.items()
    }
    desk.warehouse.command("truncate table core.fill_revisions")


def _failed(table: TableName) -> dict[str, QualityResult]:
    gate = GreatExpectationsGate(load_settings().services.warehouse_url or "")
    results = gate.examine([item for item in RULES if item.table == table])
    return {result.rule.name: result for result in results if not result.passed}


def test_a_fill_that_is_there_twice_is_found_with_each_of_its_rows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view shows a fill once; were it to show one twice, both rows would be told, by their key."""
    from adapters.quality import expectations, rules

    doubled = "(select * from core.fills union all select * from core.fills where fill_id = 'twice')"
    unique = next(item for item in rules.EXPECTATIONS if item.rule.name == "fills_are_unique")
    twice = dataclasses.replace(unique, query=unique.query.replace("{batch}", f"{doubled} /* {{batch}} */"))
    monkeypatch.setitem(expectations.BY_NAME, "fills_are_unique", twice)  # type: ignore[arg-type]
    desk.warehouse.command("truncate table core.fill_revisions")
    for fill in ("once", "twice"):
        _write_fill(desk, fill_id=fill)
    found = _failed(FILLS)["fills_are_unique"]
    assert (found.failing_rows, found.rule.blocking) == (2, True)
    assert found.sample == ("{'venue': 'ibkr', 'account': 'A', 'fill_id': 'twice'}",) * 2
    desk.warehouse.command("truncate table core.fill_revisions")


def test_a_rule_asks_the_warehouse_one_question(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows and their number come with one answer, also where there are none, and from one connection."""
    asked: list[str] = []
    ask = Cursor.execute

    def listen(self: Cursor, operation: str, *rest: Any, **more: Any) -> Any:
        asked.append(operation)
        return ask(self, operation, *rest, **more)

    monkeypatch.setattr(Cursor, "execute", listen)
    gate = GreatExpectationsGate(load_settings().services.warehouse_url or "")
    ours = [item for item in RULES if item.table == FILLS]
    for _ in range(2):
        gate.examine(ours)
    assert len([text for text in asked if "core.fills" in text]) == 2 * len(ours)


def test_a_fee_beyond_every_schedule_warns(desk: Desk) -> None:
    """Two contracts may cost 30 and bring a rebate of 4; 31 and 5 are too much."""
    desk.warehouse.command("truncate table core.fill_revisions")
    desk.warehouse.command("truncate table core.commission_facts")
    for fee in ("30", "31", "-4", "-5"):
        _write_fill(desk, asset_class="option", quantity=2, fill_id=f"f{fee}")
        desk.warehouse.command(
            "insert into core.commission_facts (venue, account, commission_key, source, content_hash, "
            "fill_id, currency, amount) values ('ibkr', 'A', {fill:String}, 'statement', "
            "'aaaaaaaaaaaaaaaaaaaa', {fill:String}, 'USD', {fee:Decimal(38, 9)})",
            {"fee": fee, "fill": f"f{fee}"},
        )
    failed = _failed(FILLS)
    assert set(failed) == {"commissions_are_within_the_schedule"}
    (result,) = failed.values()
    assert result.rule.severity is Severity.WARN
    assert result.failing_rows == 2
    assert _fills_found(desk, result.rule.name) == ["f-5", "f31"]
    desk.warehouse.command("truncate table core.fill_revisions")
    desk.warehouse.command("truncate table core.commission_facts")


def test_a_session_that_awaits_its_statement_warns_and_blocks_nothing(desk: Desk) -> None:
    """A venue that sends no statements is not waited for."""
    for venue, state in (
        ("ibkr", "awaiting_statement"),
        ("kalshi", "awaiting_statement"),
        ("ibkr", "provisional"),
    ):
        desk.warehouse.command(
            "insert into core.sign_off_versions (venue, account, session, state, version) values "
            "({venue:String}, {state:String}, '2026-03-02', {state:String}, 1)",
            {"venue": venue, "state": state},
        )
    (found,) = _failed(SIGN_OFFS).values()
    assert (found.rule.name, found.failing_rows) == ("statements_have_arrived", 1)
    assert (found.rule.severity, found.rule.blocking) == (Severity.WARN, False)
    desk.warehouse.command("truncate table core.sign_off_versions")


def test_a_match_of_an_opening_that_is_not_there_is_found(desk: Desk) -> None:
    """It blocks; an imported lot has no opening fill, and passes."""
    desk.warehouse.command("truncate table core.lot_match_versions")
    desk.warehouse.command("truncate table core.pnl_runs")
    _write_fill(desk, fill_id="c", session=date(2026, 3, 9))
    _write_pnl(desk, date(2026, 3, 9), "1")
    assert "matches_open_known_fills" in _failed(MATCHES)
    _write_fill(desk, fill_id="o", session=date(2026, 3, 9))
    assert "matches_open_known_fills" not in _failed(MATCHES)
    for table in ("fill_revisions", "lot_match_versions", "pnl_runs"):
        desk.warehouse.command(f"truncate table core.{table}")


def test_a_rule_that_cannot_be_applied_is_no_pass(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query that the warehouse refuses raises."""
    from adapters.quality import expectations, rules

    broken = rules._no_rows(
        "broken", FILLS, "select nothing from {batch} where no_such_column = 1", "Broken."
    )
    monkeypatch.setitem(expectations.BY_NAME, "broken", broken)  # type: ignore[arg-type]
    gate = GreatExpectationsGate(load_settings().services.warehouse_url or "")
    with pytest.raises(WarehouseError, match="broken"):
        gate.examine([broken.rule])


def test_an_invariant_is_a_rule_with_its_comment(desk: Desk) -> None:
    """Every file of sql/invariants runs, and a broken one names its rows."""
    gate = InvariantGate(ClickHouseTableCensus(desk.warehouse))
    rules = invariant_rules([FILLS])
    assert {rule.name for rule in rules} == {script.name for script in sql.invariants()}
    assert all(rule.about for rule in rules)
    _write_fill(desk, fill_id=" ")
    found = {result.rule.name: result for result in gate.examine(rules)}
    assert not found["blank_fill_ids"].passed
    assert found["blank_fill_ids"].sample
    desk.warehouse.command("truncate table core.fill_revisions")


def test_a_wrong_fill_never_reaches_pnl(desk: Desk, shared_data: Path) -> None:
    """A blocking check stops the run before P&L, and the run says which check it was."""
    desk.land(shared_data / "ibkr-flex" / "today.xml")
    _write_fill(desk, fill_id="g", multiplier=0, session=date(2026, 9, 28))
    result = desk.close_range("2026-09-28", "2026-09-28")
    assert not result.success
    assert "multipliers_are_above_zero" in failed_checks(result)
    built = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert "core/fills" in built
    assert "core/pnl_daily" not in built
    assert failures(result)
