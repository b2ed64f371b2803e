"""`desk positions`: what is held, by our fills and by the broker."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.configuration import load_settings
from adapters.wiring import open_warehouse, watch_tools
from desk.answers import AsJson, ExitCode, finish, print_json, print_table, say
from trading.model.fills import Venue
from trading.services.show_positions import PositionLine, Verdict, show_positions
from trading.services.watch_positions import ANSWERS_AGE_MAX

OURS = ("account", "contract", "ours", "mark")
BOTH = ("account", "contract", "ours", "broker's", "difference", "says", "age", "break", "cause")
RIGHT = ("ours", "broker's", "difference", "mark", "age")


def positions(
    live: Annotated[
        bool, typer.Option("--live", help="The broker's newest complete answer beside ours.")
    ] = False,
    account: Annotated[str, typer.Option("--account", help="One account; else all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show positions from the books and the fills since; with --live beside what the broker says.

    `undecided` is a contract of which nothing may be concluded yet: two complete answers must say the same
    after a quiet period. Exit code 1 with --live when a contract differs and nothing explains it.

    Examples:

        desk positions

        desk positions --live --account U1000001

        desk positions --live --json
    """
    settings = load_settings()
    warehouse = open_warehouse(settings)
    known = [name for venue, name in ClickHouseFillStore(warehouse).accounts() if venue is Venue.IBKR]
    lines = [
        line
        for line in show_positions(watch_tools(settings, warehouse), known)
        if account in ("", line.account) and (live or line.ours)
    ]
    now = datetime.now(UTC)
    answers = _newest_answers(warehouse, now) if live else []
    if as_json:
        told = [_row(line, now, live) for line in lines]
        print_json({"positions": told, "answers": answers} if live else told)
    else:
        _show(lines, answers, now, live)
    finish(ExitCode.FINDINGS if live and any(map(_is_open, lines)) else ExitCode.DONE)


def _is_open(line: PositionLine) -> bool:
    return line.verdict is Verdict.DIFFERS and line.state in ("", "open")


def _newest_answers(warehouse: Warehouse, now: datetime) -> list[dict[str, Any]]:
    """How the broker's newest answer of each account ended, and how old it is."""
    rows = warehouse.rows(sql.query("positions_newest_answers"), {"since": now - ANSWERS_AGE_MAX})
    return [{**row, "age_seconds": _age(row["heard_at"], now)} for row in rows]


def _show(lines: list[PositionLine], answers: list[dict[str, Any]], now: datetime, live: bool) -> None:
    if lines:
        rows = [_row(line, now, live) for line in lines]
        columns = BOTH if live else OURS
        print_table("", columns, [[row[_FIELDS[name]] for name in columns] for row in rows], right=RIGHT)
    else:
        say("Nothing is held.")
    for answer in answers:
        reason = f" ({answer['reason']})" if answer["reason"] else ""
        say(
            f"{answer['account']}: the newest answer, {answer['age_seconds']} s old, is "
            f"{answer['completeness']}{reason}."
        )
    if live and not answers:
        say("The broker told nothing of positions in the last hour.")


_FIELDS = {
    "account": "account", "contract": "instrument_id", "ours": "ours", "mark": "mark", "broker's": "theirs",
    "difference": "difference", "says": "verdict", "age": "age_seconds", "break": "state", "cause": "cause",
}  # fmt: skip


def _row(line: PositionLine, now: datetime, live: bool) -> dict[str, Any]:
    """A line as plain values, figures without the zeros that their columns store."""
    row: dict[str, Any] = {
        "account": line.account,
        "instrument_id": line.instrument_id,
        "conid": line.conid,
        "symbol": line.symbol,
        "ours": _plain(line.ours),
        "mark": _plain(line.mark),
    }
    if live:
        row |= {
            "theirs": _plain(line.theirs),
            "difference": _plain(line.difference),
            "verdict": line.verdict.value,
            "age_seconds": None if line.asked_at is None else _age(line.asked_at, now),
            "state": line.state or None,
            "cause": line.cause or None,
        }
    return row


def _plain(figure: Any) -> str | None:
    return None if figure is None else format(figure.normalize(), "f")


def _age(at: datetime, now: datetime) -> int:
    return round((now - at).total_seconds())
