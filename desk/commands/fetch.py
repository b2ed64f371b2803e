"""`desk fetch`: have the broker's statements made and put them into the inbox."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.wiring import fetch_tools, venue_drop, venue_source
from desk.answers import AsJson, ExitCode, as_mapping, complain, finish, print_json, progress, say
from desk.days import session_of
from trading.errors import ConfigurationError
from trading.model.fills import Venue
from trading.ports.statement_source import StatementQuery, StatementRefusedError, StatementUnavailableError
from trading.services.fetch_statements import Fetched, FetchOutcome, fetch_statement

DAYS_MAX = 3_650


def fetch(
    query: Annotated[
        StatementQuery | None, typer.Option("--query", help="One of the two; else all that are configured.")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="YYYY-MM-DD", help="Leave a statement out that ends before it."),
    ] = None,
    venue: Annotated[
        Venue,
        typer.Option(
            "--venue", help="Kalshi and Kraken make no statement: their positions and fills are asked."
        ),
    ] = Venue.IBKR,
    days: Annotated[
        int, typer.Option("--days", min=1, max=DAYS_MAX, help="Fills of how many days (kalshi, kraken).")
    ] = 7,
    as_json: AsJson = False,
) -> None:
    """Fetch statements from the broker's Flex Web Service into the inbox, where a running desk lands them.

    With --venue the positions and fills of that account (config/venues.yaml) instead, with KALSHI_KEY_ID and
    KALSHI_KEY_FILE, or KRAKEN_FUTURES_KEY and KRAKEN_FUTURES_SECRET. The broker's service needs
    IBKR_FLEX_TOKEN and IBKR_FLEX_ACTIVITY_QUERY or IBKR_FLEX_CONFIRMATION_QUERY. All of them stand in the
    environment or in .env. Exit code 1 when a statement does not reach the session, 2 when there is no key
    or token, the service says no, or it cannot be reached.

    Examples:

        desk fetch

        desk fetch --query activity --session 2026-11-19

        desk fetch --query confirmation --json

        desk fetch --venue kraken --days 30
    """
    if venue is not Venue.IBKR:
        _fetch_venue(venue, days, as_json=as_json)
        return
    day = session_of(session, "--session") if session else None
    tools = fetch_tools(load_settings())
    asked = [query] if query else [each for each in StatementQuery if each in tools.source.configured()]
    if not asked or any(each not in tools.source.configured() for each in asked):
        raise ConfigurationError(_lacking(query))
    reports: list[Fetched] = []
    errors: dict[StatementQuery, str] = {}
    with progress() as advance:
        for number, each in enumerate(asked):
            advance(f"fetching {each}", number, len(asked))
            try:
                reports.append(fetch_statement(each, tools, day))
            except (StatementRefusedError, StatementUnavailableError) as error:
                errors[each] = str(error)  # the other query may do better
    _print(reports, errors, as_json=as_json)
    late = any(report.outcome is FetchOutcome.NOT_YET for report in reports)
    finish(ExitCode.NOT_POSSIBLE if errors else ExitCode.FINDINGS if late else ExitCode.DONE)


def _fetch_venue(venue: Venue, days: int, *, as_json: bool) -> None:
    settings = load_settings()
    source = venue_source(settings, venue)
    try:
        found = source.fetch(SystemClock().now() - timedelta(days=days))
    except (StatementRefusedError, StatementUnavailableError) as error:
        complain(str(error))
        finish(ExitCode.NOT_POSSIBLE)
    drop = venue_drop(settings, found.account)
    for name, content in found.files:
        drop.put(name, content)
    files = [f"{found.account}/{name}" for name, _ in found.files]
    if as_json:
        told = {"venue": str(venue), "account": found.account, "files": files, "fills": found.fills}
        print_json({**told, "positions": found.positions, "asked_at": found.asked_at.isoformat()})
    else:
        say(f"{venue}: {', '.join(files)} ({found.fills} fills, {found.positions} positions)")
    finish(ExitCode.DONE)


def _lacking(query: StatementQuery | None) -> str:
    wanted = [query] if query else list(StatementQuery)
    names = " or ".join(f"IBKR_FLEX_{each.upper()}_QUERY" for each in wanted)
    return f"flex: not configured; set IBKR_FLEX_TOKEN and {names} (docs/broker-files.md)"


def _print(reports: list[Fetched], errors: Mapping[StatementQuery, str], *, as_json: bool) -> None:
    for error in errors.values():
        complain(error)
    if as_json:
        print_json({"statements": [as_mapping(report) for report in reports], "errors": errors})
        return
    for report in reports:
        days = f"{report.from_date} to {report.to_date}, {', '.join(report.accounts)}"
        if report.outcome is FetchOutcome.NOT_YET:
            complain(f"{report.query}: ends too early ({days}); left out")
        else:
            say(f"{report.query}: {report.file} ({report.size_bytes} bytes; {days})")
