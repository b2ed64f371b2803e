"""The job that fetches a statement from the broker into the inbox, where the sensor finds it like any other.

Not an asset: what it leaves behind is a file that is landed under its hash, and may be one that was there.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from trading.ports.statement_source import StatementQuery, StatementRefusedError, StatementUnavailableError
from trading.services.fetch_statements import Fetched, FetchOutcome, FetchTools, fetch_statement


class FetchStatement(dg.Config):
    """Which statement, and the session that it must reach."""

    query: str = Field(default=str(StatementQuery.ACTIVITY), description="activity or confirmation")
    session: str = Field(default="", description="a statement that ends before it is left out; empty: any")


@dg.op(
    name="fetch_statement",
    out=dg.Out(str, is_required=False, description="name of the file in the inbox"),
    description="Asks the broker's Flex Web Service for one statement; skipped where no token is configured.",
    tags={"desk/kind": "fetching"},
)
def fetch_one(
    context: dg.OpExecutionContext, config: FetchStatement, fetching: dg.ResourceParam[FetchTools]
) -> Iterator[dg.Output[Any]]:
    """Fetch; a refusal fails the run with what a person must mend."""
    try:
        session = date.fromisoformat(config.session) if config.session else None
        report = fetch_statement(StatementQuery(config.query), fetching, session)
    except (StatementRefusedError, StatementUnavailableError, ValueError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    context.log.info(told(report))
    if report.outcome is FetchOutcome.FETCHED:
        yield dg.Output(report.file, metadata=_metadata(report))


def told(report: Fetched) -> str:
    """What a fetch did, in one sentence."""
    if report.outcome is FetchOutcome.NOT_CONFIGURED:
        return not_configured(report.query)
    days = f"{report.from_date} to {report.to_date}"
    if report.outcome is FetchOutcome.NOT_YET:
        return (
            f"the broker's {report.query} statement ends too early ({days}): left out, asked for again later"
        )
    return f"fetched {report.file}: {days}, {len(report.accounts)} accounts, {report.size_bytes} bytes"


def not_configured(query: StatementQuery) -> str:
    """Why nothing is fetched."""
    return f"not configured: set IBKR_FLEX_TOKEN and IBKR_FLEX_{query.upper()}_QUERY"


def _metadata(report: Fetched) -> dict[str, Any]:
    return {
        "file": report.file,
        "size_bytes": report.size_bytes,
        "accounts": list(report.accounts),
        "from_date": str(report.from_date),
        "to_date": str(report.to_date),
    }


@dg.job(
    name="fetch_statements",
    description="Fetch a statement from the broker into the inbox; started by two schedules, or by hand.",
    tags={"desk/kind": "fetching"},
)
def fetch_statements() -> None:
    """One statement a run."""
    fetch_one()
