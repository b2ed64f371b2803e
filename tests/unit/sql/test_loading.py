"""The SQL folder is text that can be found by its name."""

import re

import pytest

import sql
from adapters.clickhouse.fill_rows import COPIED, ENUMERATED, OF_INSTRUMENT


def test_migrations_come_in_the_order_of_their_numbers() -> None:
    """Each has a number of its own."""
    numbers = [script.name[:4] for script in sql.migrations()]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(numbers)


def test_a_query_that_is_not_there_is_named() -> None:
    """The error says which file."""
    with pytest.raises(FileNotFoundError, match=r"no_such\.sql"):
        sql.query("no_such")


def columns_of(table: str) -> list[str]:
    """Column names of a table in the migration that creates it."""
    text = next(script.text for script in sql.migrations() if script.name == "0002_fills")
    body = re.search(rf"exists core\.{table}\n\((.*?)\n\)\nengine", text, re.DOTALL)
    assert body
    lines = [line.split()[0] for line in body[1].strip().splitlines()]
    return [name for name in lines if name not in ("index", "--")]


def test_staging_has_the_columns_of_its_table() -> None:
    """What is staged can be moved: the same columns, but for the attempt and the time of storing."""
    for table, staging in (("fill_revisions", "fill_staging"), ("commission_facts", "commission_staging")):
        own = set(columns_of(staging)) - {"attempt_id", "staged_at", "told_before"}
        assert own == set(columns_of(table)) - {"ingested_at"}


def test_every_column_of_a_fill_is_written() -> None:
    """The columns in Python are those of the table."""
    written = {*COPIED, *ENUMERATED, *OF_INSTRUMENT, "notional", "content_hash", "batch_id", "received_at"}
    assert written == set(columns_of("fill_revisions")) - {"ingested_at"}


def test_values_are_bound_and_never_formatted_into_sql() -> None:
    """No query text has a placeholder of Python's; all have the server's, with a type."""
    for item in sql._folder("queries").iterdir():
        text = item.read_text()
        assert not re.search(r"%\(|%s|\{\w+\}", text), item.name
