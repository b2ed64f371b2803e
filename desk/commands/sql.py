"""`desk sql`: a statement of your own against the warehouse, as the reader account."""

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import Annotated

import typer

from adapters.configuration import load_settings
from desk.answers import AsJson, ExitCode, complain, finish, print_table
from desk.reader_sql import SqlAnswer, ask
from trading.errors import ConfigurationError

TABLE_ROWS_MAX = 1000  # a terminal is no place for more; csv and json stream everything


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


SERVER_FORMAT = {
    Format.TABLE: "JSONCompactStringsEachRowWithNamesAndTypes",
    Format.CSV: "CSVWithNames",
    Format.JSON: "JSONEachRow",
}


def sql(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One statement; `-` reads it from stdin.")],
    form: Annotated[Format, typer.Option("--format", "-f", help="How to print the rows.")] = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Run one statement as the reader: it can read everything and change nothing.

    Examples:

        desk sql 'select account, sum(realized) from core.pnl_daily group by account'

        desk sql --format csv 'select * from core.fills' > fills.csv

        desk sql --format json - < sql/analytics/daily_pnl.sql
    """
    url = load_settings().services.warehouse_reader_url
    if url is None:
        raise ConfigurationError(
            "warehouse: no reader address; start the stack with `desk up` or set CLICKHOUSE_READER_URL"
        )
    text = sys.stdin.read() if statement == "-" else statement
    chosen = Format.JSON if as_json else form
    with ask(url, text, SERVER_FORMAT[chosen]) as answer:
        if answer.format != SERVER_FORMAT[chosen] or chosen is Format.CSV:
            _pass_through(answer.lines)
        elif chosen is Format.JSON:
            _print_array(answer.lines)
        else:
            _print_rows(answer)
    finish(ExitCode.DONE)


def _pass_through(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _print_array(lines: Iterator[str]) -> None:
    """One JSON array, written as the rows arrive."""
    separator = "["
    for line in lines:
        if line:
            sys.stdout.write(separator + line)
            separator = ",\n"
    sys.stdout.write("]\n" if separator != "[" else "[]\n")


def _print_rows(answer: SqlAnswer) -> None:
    names = json.loads(next(answer.lines, "[]"))
    types = json.loads(next(answer.lines, "[]"))
    rows = [json.loads(line) for line in islice(answer.lines, TABLE_ROWS_MAX)]
    numbers = [
        name
        for name, kind in zip(names, types, strict=True)
        if any(word in kind for word in ("Int", "Decimal", "Float"))
    ]
    print_table("", names, rows, right=numbers)
    if next(answer.lines, None) is not None:
        complain(f"only the first {TABLE_ROWS_MAX} rows are shown; --format csv and --format json print all")
