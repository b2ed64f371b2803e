"""Fetch a statement from the broker into the inbox; landing and reconciling it is what the inbox does anyway.

What goes wrong without this shape: a statement that ends a day early looks like an answer, and nobody asks
again; so a caller who needs a session names it, and a file that does not reach it is left out. The name tells
the query, whose it is and when it was made; what is in it decides, by its hash, whether it is new.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trading.model.fills import Venue
from trading.model.statements import StatementKind
from trading.model.times import NEW_YORK
from trading.ports.clock import Clock
from trading.ports.statement_source import FetchedStatement, InboxDrop, StatementQuery, StatementSource
from trading.ports.statement_store import StatementStore, statement_covering
from trading.services.sessions_due import first_looked_at

NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
NAME_ACCOUNT_CHARS_MAX = 40
KINDS = {
    StatementQuery.ACTIVITY: StatementKind.ACTIVITY,
    StatementQuery.CONFIRMATION: StatementKind.CONFIRMATION,
}


class FetchOutcome(StrEnum):
    """What became of one query."""

    FETCHED = "fetched"
    NOT_CONFIGURED = "not_configured"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchTools:
    """Where statements come from, where they go, and what time it is."""

    source: StatementSource
    drop: InboxDrop
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one query did; `file` is its name in the inbox, empty where nothing was put there."""

    query: StatementQuery
    outcome: FetchOutcome
    file: str = ""
    size_bytes: int = 0
    accounts: tuple[str, ...] = ()
    from_date: date | None = None
    to_date: date | None = None
    generated_at: datetime | None = None


def fetch_statement(query: StatementQuery, tools: FetchTools, session: date | None = None) -> Fetched:
    """Fetch one statement into the inbox; one that does not reach `session` (None: any) stays outside.

    Raises StatementRefusedError or StatementUnavailableError.
    """
    if query not in tools.source.configured():
        return Fetched(query=query, outcome=FetchOutcome.NOT_CONFIGURED)
    found = tools.source.fetch(query)
    if session is not None and found.to_date < session:
        return _report(found, FetchOutcome.NOT_YET, "")
    name = file_name(found, tools.clock.now())
    tools.drop.put(name, found.content)
    return _report(found, FetchOutcome.FETCHED, name)


def file_name(found: FetchedStatement, now: datetime) -> str:
    """``flex-activity-U1234567-20260928T194113.xml``: query, account or their number, when it was made."""
    made = (found.generated_at or now).astimezone(NEW_YORK)
    if len(found.accounts) == 1:
        whose = NOT_IN_A_NAME.sub("_", found.accounts[0])[:NAME_ACCOUNT_CHARS_MAX]
    else:
        whose = f"{len(found.accounts)}-accounts"
    return f"flex-{found.query}-{whose}-{made:%Y%m%dT%H%M%S}.xml"


def is_told(
    query: StatementQuery, session: date, statements: StatementStore, accounts: Sequence[tuple[Venue, str]]
) -> bool:
    """Whether every account that has had such statements of late has this session's; without any: no."""
    late, kind = first_looked_at(session), KINDS[query]
    listed = [statements.statements(venue, account) for venue, account in accounts if venue is Venue.IBKR]
    alive = [told for told in listed if any(head.kind is kind and head.to_date >= late for head in told)]
    return bool(alive) and all(statement_covering(told, session, kind) for told in alive)


def _report(found: FetchedStatement, outcome: FetchOutcome, name: str) -> Fetched:
    return Fetched(
        query=found.query,
        outcome=outcome,
        file=name,
        size_bytes=len(found.content),
        accounts=found.accounts,
        from_date=found.from_date,
        to_date=found.to_date,
        generated_at=found.generated_at,
    )
