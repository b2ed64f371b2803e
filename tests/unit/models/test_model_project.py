"""The models as the runner reads them: order, lineage, tests, and what a broken project says."""

from datetime import date
from pathlib import Path

import pytest

import dbt_like_models
from adapters.clickhouse.model_lineage import column_lineage
from adapters.clickhouse.model_project import ModelProject
from trading.errors import ConfigurationError
from trading.ports.model_runner import Materialization, SessionRange, Severity, TableName

PROJECT = ModelProject(dbt_like_models.FOLDER)
UPSTREAM = TableName(database="core", table="t")


def _project(folder: Path, models: dict[str, str], schema: str = "version: 2\nmodels: []\n") -> Path:
    (folder / "models" / "marts").mkdir(parents=True)
    (folder / "macros").mkdir()
    (folder / "tests").mkdir()
    (folder / "dbt_project.yml").write_text(
        "name: p\nmodels:\n  p:\n    +schema: marts\n    marts:\n      +materialized: table\n"
    )
    (folder / "models" / "schema.yml").write_text(schema)
    for name, text in models.items():
        (folder / "models" / "marts" / f"{name}.sql").write_text(text)
    return folder


def test_models_come_after_what_they_read() -> None:
    """The order of the specs is an order in which they can be built."""
    seen: set[str] = set()
    for spec in PROJECT.specs:
        inner = {table.table for table in spec.upstream if table.database == "marts"}
        assert inner <= seen, spec.name
        seen.add(spec.name)


def test_only_marts_are_written() -> None:
    """No model writes core facts."""
    assert {spec.relation.database for spec in PROJECT.specs} == {"marts"}


@pytest.mark.parametrize("spec", PROJECT.specs, ids=lambda spec: spec.name)
def test_every_model_is_described_owned_and_tested(spec: object) -> None:
    """Each model and each of its columns says what it is, and each model has a test."""
    assert spec.description  # type: ignore[attr-defined]
    assert spec.owners  # type: ignore[attr-defined]
    assert spec.tests  # type: ignore[attr-defined]
    assert spec.columns  # type: ignore[attr-defined]
    assert all(column.description for column in spec.columns)  # type: ignore[attr-defined]


def test_no_model_computes_profit_by_itself() -> None:
    """P&L is the engine's: no model reads fills to make P&L."""
    for spec in PROJECT.specs:
        if "realized" in {column.name for column in spec.columns} and spec.layer == "staging":
            assert {table.table for table in spec.upstream} <= {"lot_matches", "pnl_daily"}


def test_an_incremental_model_asks_for_whole_months() -> None:
    """The months around the asked sessions, because whole partitions are replaced."""
    sessions = SessionRange(first=date(2026, 3, 5), last=date(2026, 4, 9))
    sql = PROJECT.sql("daily_pnl", incremental=True, sessions=sessions)
    assert "between toStartOfMonth(toDate('2026-03-05')) and toLastDayOfMonth(toDate('2026-04-09'))" in sql
    assert PROJECT.spec("daily_pnl").materialization is Materialization.INCREMENTAL
    assert "where true" in PROJECT.sql("daily_pnl")


def test_tests_over_several_models_say_so() -> None:
    """They must wait until all of them are built."""
    joint = {test.name: test.also_reads for spec in PROJECT.specs for test in spec.tests if test.also_reads}
    assert joint["pnl_adds_up"] == (TableName(database="marts", table="stg_lot_matches"),)
    assert "pnl_by_contract_instrument_id_relationships" in joint


def test_severity_and_words_of_a_test_are_read(tmp_path: Path) -> None:
    """A warning is no error."""
    schema = """
version: 2
models:
  - name: m
    columns:
      - name: x
        data_tests:
          - accepted_values:
              arguments: {values: ["it's", b]}
              config: {severity: warn}
"""
    project = ModelProject(_project(tmp_path, {"m": "select 1 as x"}, schema))
    (test,) = project.spec("m").tests
    assert test.severity is Severity.WARN
    (case,) = project.cases([test])
    assert r"not in ('it\'s', 'b')" in case.sql


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"a": "select * from {{ ref('b') }}", "b": "select * from {{ ref('a') }}"}, "no cycle"),
        ({"a": "select * from {{ ref('nobody') }}"}, "expected one of"),
        ({"a": "select {{ oops }}"}, "template that renders"),
        ({"a": "select {% if %}"}, "template that renders"),
    ],
)
def test_a_broken_project_says_where(tmp_path: Path, models: dict[str, str], message: str) -> None:
    """Reading fails with the model's name, not somewhere in the warehouse."""
    with pytest.raises(ConfigurationError, match=message):
        ModelProject(_project(tmp_path, models))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a as x from core.t", {"x": ["a"]}),
        ("select a + b as x, 1 as y from core.t", {"x": ["a", "b"], "y": []}),
        (
            "with s as (select * from core.t) select sum(s.a) as x, s.b as b from s group by b",
            {"x": ["a"], "b": ["b"]},
        ),
        ("select if(a > 0, b, null) as x from core.t", {"x": ["a", "b"]}),
    ],
)
def test_lineage_follows_columns_through_steps(sql: str, expected: dict[str, list[str]]) -> None:
    """Each column leads to the columns that it is made from."""
    found = column_lineage("m", sql, {UPSTREAM: ["a", "b"]})
    assert {name: [origin.column for origin in origins] for name, origins in found.items()} == expected


def test_sql_that_cannot_be_traced_is_an_error() -> None:
    """Not an empty lineage."""
    with pytest.raises(ConfigurationError, match="columns can be traced"):
        column_lineage("m", "select from where", {})
