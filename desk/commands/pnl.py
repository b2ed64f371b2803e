"""`desk pnl`: profit and loss as the books have it."""

from enum import StrEnum
from typing import Annotated, Any

import typer

import sql
from adapters.clickhouse.client import Warehouse
from adapters.configuration import load_settings
from adapters.wiring import open_warehouse
from desk.answers import AsJson, ExitCode, finish, money_text, print_json, print_table, say
from desk.days import EARLIEST, LATEST, day_of

FIGURES = ("gross", "fees_paid", "realized_net", "realized_net_base")


class By(StrEnum):
    """What a line of the table is."""

    MONTH = "month"
    SESSION = "session"
    UNDERLYING = "underlying"
    STRATEGY = "strategy"
    CONTRACT = "contract"


def pnl(
    by: Annotated[By, typer.Option("--by", help="What a line is.")] = By.MONTH,
    account: Annotated[str, typer.Option("--account", help="One account; else all.")] = "",
    start: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First session.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last session.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show realized P&L net of fees, in the instrument's currency and, where rates are known, in base
    currency.

    Examples:

        desk pnl

        desk pnl --by underlying --account U1000001 --from 2026-11-01

        desk pnl --by session --json
    """
    rows = pnl_rows(
        open_warehouse(load_settings()),
        by,
        account,
        first=day_of(start, "--from") if start else EARLIEST,
        last=day_of(end, "--to") if end else LATEST,
    )
    if as_json:
        print_json(rows)
    elif rows:
        show_pnl(by, rows)
    else:
        say("No P&L yet. Take statements in and run `desk reconcile`.")
    finish(ExitCode.DONE)


def pnl_rows(
    warehouse: Warehouse, by: By, account: str = "", first: Any = EARLIEST, last: Any = LATEST
) -> list[Any]:
    """The lines of the table."""
    parameters = {"by": by.value, "account": account, "first": first, "last": last}
    return warehouse.rows(sql.query("pnl_by"), parameters)


def show_pnl(by: By, rows: list[Any]) -> None:
    """The table for people: money to the cent."""
    columns = (
        "venue",
        "account",
        by.value,
        "currency",
        "sessions",
        "gross",
        "fees",
        "realized",
        "in base currency",
    )
    lines = [
        [row["venue"], row["account"], row["item"], row["currency"], row["sessions"]]
        + [money_text(row[name]) for name in FIGURES]
        for row in rows
    ]
    print_table("", columns, lines, right=columns[4:])
