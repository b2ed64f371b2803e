"""`desk coverage`: which hours of a session were told completely, and which nobody told."""

from datetime import date
from typing import Annotated, Any

import typer

from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.configuration import load_settings
from adapters.wiring import live_check_tools, open_warehouse
from desk.answers import AsJson, ExitCode, finish, print_json, print_table, say
from desk.days import session_of
from trading.calendar import trading_session
from trading.model.fills import Venue
from trading.ports.model_runner import SessionRange
from trading.services.check_live import LIVE_SOURCES, LiveCheckTools
from trading.services.cover_session import SessionCoverage, broker_now, cover_session

COLUMNS = ("account", "session", "from", "to", "holes", "minutes missing", "left by live capture")
HOLE_COLUMNS = ("account", "hole from", "to", "minutes")
RIGHT = ("holes", "minutes missing", "left by live capture", "minutes")


def coverage(
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="YYYY-MM-DD", help="A session; else the broker's current one."),
    ] = None,
    account: Annotated[str, typer.Option("--account", help="One account; else all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the trading hours that no complete answer and no file told. Exit code 1 when there are any.

    A session that goes on is looked at up to now, less the time in which the next sweep is due. What the live
    capture alone left is shown beside it: the rest was closed by a confirmation or a statement.

    Examples:

        desk coverage

        desk coverage --session 2026-11-13 --json
    """
    settings = load_settings()
    warehouse = open_warehouse(settings)
    tools = live_check_tools(settings, warehouse)
    upto = broker_now(tools.events.clock(), tools.clock.now(), tools.speed)
    day = session_of(session, "--session") if session else trading_session(upto)
    known = [name for venue, name in ClickHouseFillStore(warehouse).accounts() if venue is Venue.IBKR]
    rows = _rows(tools, day, known, account, upto - tools.due_within)
    if as_json:
        print_json(rows)
    else:
        _show(rows, day)
    finish(ExitCode.FINDINGS if any(row["holes"] for row in rows) else ExitCode.DONE)


def _rows(
    tools: LiveCheckTools, day: date, known: list[str], account: str, upto: Any
) -> list[dict[str, Any]]:
    listened = [item.account for item in tools.audit.listened(SessionRange(first=day, last=day), 1_000)]
    accounts = [account] if account else sorted({*known, *listened})
    told = cover_session(tools.events, Venue.IBKR, accounts, day, upto)
    live = cover_session(tools.events, Venue.IBKR, accounts, day, upto, LIVE_SOURCES)
    return [_row(item, alone) for item, alone in zip(told, live, strict=True)]


def _row(told: SessionCoverage, live: SessionCoverage) -> dict[str, Any]:
    return {
        "account": told.account,
        "session": told.session,
        "from": told.start,
        "to": told.end,
        "holes": [{"from": hole.start, "to": hole.end} for hole in told.holes],
        "hole_seconds": told.hole_seconds,
        "hole_seconds_of_live_capture": live.hole_seconds,
    }


def _show(rows: list[dict[str, Any]], day: date) -> None:
    if not rows:
        say(f"No account is known that could have traded on {day}.")
        return
    table = [
        [
            row["account"], row["session"], _clock(row["from"]), _clock(row["to"]), len(row["holes"]),
            _minutes(row["hole_seconds"]), _minutes(row["hole_seconds_of_live_capture"]),
        ]
        for row in rows
    ]  # fmt: skip
    print_table("", COLUMNS, table, right=RIGHT)
    holes = [(row["account"], hole["from"], hole["to"]) for row in rows for hole in row["holes"]]
    if holes:
        lines = [
            (name, _clock(start), _clock(end), _minutes((end - start).total_seconds()))
            for name, start, end in holes
        ]
        print_table("Nobody told (UTC)", HOLE_COLUMNS, lines, right=RIGHT)


def _clock(at: Any) -> str | None:
    return None if at is None else f"{at:%H:%M:%S}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}"
