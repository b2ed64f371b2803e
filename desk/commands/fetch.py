"""`desk fetch`: have the broker's statements made and put them into the inbox."""

from collections.abc import Mapping
from typing import Annotated

import typer

from adapters.configuration import load_settings
from adapters.wiring import fetch_tools
from desk.answers import AsJson, ExitCode, as_mapping, complain, finish, print_json, progress, say
from desk.days import session_of
from trading.errors import ConfigurationError
from trading.ports.statement_source import StatementQuery, StatementRefusedError, StatementUnavailableError
from trading.services.fetch_statements import Fetched, FetchOutcome, fetch_statement


def fetch(
    query: Annotated[
        StatementQuery | None, typer.Option("--query", help="One of the two; else all that are configured.")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="YYYY-MM-DD", help="Leave a statement out that ends before it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch statements from the broker's Flex Web Service into the inbox, where a running desk lands them.

    Needs IBKR_FLEX_TOKEN and IBKR_FLEX_ACTIVITY_QUERY or IBKR_FLEX_CONFIRMATION_QUERY, in the environment
    or in .env. Exit code 1 when a statement does not reach the session, 2 when there is no token, the
    service says no, or it cannot be reached.

    Examples:

        desk fetch

        desk fetch --query activity --session 2026-11-19

        desk fetch --query confirmation --json
    """
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
