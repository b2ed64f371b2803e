"""Migrations go forward, once, under a lock, and say what a server cannot hold."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from embedded_warehouse import RunningWarehouse, start_warehouse

import sql
from adapters.clickhouse import migrator
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.migrator import migrate, on_cluster, schema_gap, statements
from trading.errors import WarehouseError


@pytest.fixture
def empty(tmp_path: Path) -> object:
    """A server without a schema."""
    pytest.importorskip("chdb", reason="the embedded engine is not installed")
    running = start_warehouse(tmp_path)
    yield running
    running.stop()


def test_an_empty_server_gets_every_migration_once(empty: RunningWarehouse) -> None:
    """The first run applies all, the second none; what the engine cannot hold is said both times."""
    warehouse = Warehouse(empty.url)
    names = tuple(script.name for script in sql.migrations())
    gap = schema_gap(warehouse)
    assert gap is not None and gap.missing == names and gap.there == "empty"
    first, second = migrate(warehouse), migrate(warehouse)
    assert (first.applied, first.present) == (names, ())
    assert (second.applied, second.present) == ((), names)
    assert first.left_out == second.left_out == ("access/roles: this server keeps no accounts",)
    assert schema_gap(warehouse) is None


def test_two_processes_that_migrate_at_once_both_end_well(empty: RunningWarehouse) -> None:
    """One applies, the other waits for the lock and finds all there."""
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _: migrate(Warehouse(empty.url)), range(3)))
    assert sorted(len(report.applied) for report in reports) == [0, 0, len(sql.migrations())]


def test_a_migration_that_was_killed_half_way_is_finished(
    empty: RunningWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every statement is idempotent: the file is run again from its start."""
    warehouse = Warehouse(empty.url)
    last = sql.migrations()[1]
    for statement in list(statements(sql.migrations()[0].text)) + list(statements(last.text))[:1]:
        warehouse.command(statement)
    assert migrate(warehouse).applied == tuple(script.name for script in sql.migrations())


def test_a_changed_old_file_is_an_error_that_names_it(
    empty: RunningWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was applied is history; a change of it is refused, and the lock is given back."""
    warehouse = Warehouse(empty.url)
    migrate(warehouse)
    told = list(sql.migrations())
    told[1] = replace(told[1], checksum="0" * 64)
    monkeypatch.setattr(migrator.sql, "migrations", lambda: tuple(told))
    for _ in range(2):
        with pytest.raises(WarehouseError, match=f"{told[1].name}.sql"):
            migrate(warehouse)


def test_a_schema_of_a_newer_version_is_refused(
    empty: RunningWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older project does not write into tables that it does not know."""
    warehouse = Warehouse(empty.url)
    migrate(warehouse)
    told = sql.migrations()
    monkeypatch.setattr(migrator.sql, "migrations", lambda: told[:-1])
    with pytest.raises(WarehouseError, match=told[-1].name):
        migrate(warehouse)
    gap = schema_gap(warehouse)
    assert gap is not None and gap.unknown == (told[-1].name,) and not gap.missing
    assert f"is {told[-2].name}, the warehouse's is {told[-1].name}: a newer version" in str(gap)


def test_every_table_has_a_deduplication_window(empty: RunningWarehouse) -> None:
    """A repeated insert after a lost answer is dropped by its token, in every table."""
    warehouse = Warehouse(empty.url)
    migrate(warehouse)
    tables = warehouse.rows(
        "select concat(database, '.', name) as name from system.tables where engine like '%MergeTree' "
        "and database in ('core', 'audit', 'raw') and engine_full not like '%deduplication_window%'"
    )
    assert [table["name"] for table in tables] == []


def test_a_cluster_gets_replicated_engines_from_the_same_files() -> None:
    """Every create and alter says `on cluster`, every engine is replicated, views are as they were."""
    for script in sql.migrations():
        for statement in statements(script.text):
            told = on_cluster(statement, "desk")
            if re.search(r"^(create|alter)\b", statement, re.MULTILINE):
                assert " on cluster desk" in told, statement[:80]
            if "engine = " in statement and "engine = Null" not in statement:  # which keeps nothing
                assert "engine = Replicated" in told, statement[:80]
                assert "non_replicated" not in told
            assert on_cluster(statement, None) == statement


def test_a_cluster_name_never_becomes_a_statement() -> None:
    """Letters, digits and underscores."""
    with pytest.raises(WarehouseError, match="cluster"):
        on_cluster("create table t (a Int64)", "x; drop table t")


def test_semicolons_in_strings_and_comments_part_nothing() -> None:
    """A script is split where statements end."""
    text = "-- a; b\nselect ';', 'it''s;', '\\';' /* ; */;\n\nselect `a;b`;\n-- end;\n"
    assert [part.splitlines()[-1] for part in statements(text)] == [
        "select ';', 'it''s;', '\\';' /* ; */",
        "select `a;b`",
    ]
