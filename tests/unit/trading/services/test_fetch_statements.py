"""Fetching a statement: what is put into the inbox, under which name, and when one is asked for."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest

from adapters.memory.statement_store import MemoryStatementStore
from trading.model.fills import FillBatch, Source, Venue
from trading.model.statements import BrokerStatement, StatementKind
from trading.model.times import NEW_YORK
from trading.ports.clock import Clock
from trading.ports.statement_source import (
    FetchedStatement,
    InboxDrop,
    StatementQuery,
    StatementSource,
    StatementUnavailableError,
)
from trading.services.fetch_statements import (
    FetchOutcome,
    FetchTools,
    fetch_statement,
    file_name,
    is_told,
)
from trading.services.sessions_due import fetch_due
from trading.settings import AccountPolicy, ReconciliationSettings

NOW = datetime(2026, 9, 29, 10, 30, tzinfo=UTC)
SESSION = date(2026, 9, 28)
ACTIVITY = StatementQuery.ACTIVITY


class Standing(Clock):
    def now(self) -> datetime:
        return NOW


class Shelf(InboxDrop):
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        self.files[name] = content


class Broker(StatementSource):
    """Has one statement, or none."""

    def __init__(
        self, found: FetchedStatement | None, queries: Collection[StatementQuery] = (ACTIVITY,)
    ) -> None:
        self.found = found
        self.queries = queries

    def configured(self) -> Collection[StatementQuery]:
        return self.queries

    def fetch(self, query: StatementQuery) -> FetchedStatement:
        if self.found is None:
            raise StatementUnavailableError("busy")
        return self.found


def found(**changes: object) -> FetchedStatement:
    told: dict[str, object] = {
        "query": ACTIVITY,
        "content": b"<x/>",
        "accounts": ("U1234567",),
        "from_date": SESSION,
        "to_date": SESSION,
        "generated_at": datetime(2026, 9, 28, 23, 41, 14, tzinfo=UTC),
    }
    return FetchedStatement(**{**told, **changes})  # type: ignore[arg-type]


def tools(source: StatementSource) -> tuple[FetchTools, Shelf]:
    shelf = Shelf()
    return FetchTools(source=source, drop=shelf, clock=Standing()), shelf


def test_a_fetched_statement_lies_in_the_inbox_as_it_came() -> None:
    """Byte for byte, and the report says what it covers."""
    kit, shelf = tools(Broker(found()))
    report = fetch_statement(ACTIVITY, kit, SESSION)
    assert shelf.files == {"flex-activity-U1234567-20260928T194114.xml": b"<x/>"}
    assert (report.outcome, report.file) == (FetchOutcome.FETCHED, *shelf.files)
    assert (report.size_bytes, report.accounts, report.to_date) == (4, ("U1234567",), SESSION)


def test_a_statement_that_ends_before_the_session_stays_outside() -> None:
    """It is an answer, but not to the question: the next pass asks again."""
    kit, shelf = tools(Broker(found(to_date=SESSION - timedelta(days=3))))
    assert fetch_statement(ACTIVITY, kit, SESSION).outcome is FetchOutcome.NOT_YET
    assert shelf.files == {}
    assert fetch_statement(ACTIVITY, kit).outcome is FetchOutcome.FETCHED


def test_a_query_without_token_is_told_as_such() -> None:
    """Nothing is asked and nothing is wrong."""
    kit, shelf = tools(Broker(None, queries=()))
    assert fetch_statement(ACTIVITY, kit).outcome is FetchOutcome.NOT_CONFIGURED
    assert shelf.files == {}


def test_what_the_source_cannot_do_reaches_the_caller() -> None:
    """An error is an error, never an empty statement."""
    kit, shelf = tools(Broker(None))
    with pytest.raises(StatementUnavailableError):
        fetch_statement(ACTIVITY, kit)
    assert shelf.files == {}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"accounts": ("U1", "U2")}, "flex-activity-2-accounts-20260928T194114.xml"),
        ({"accounts": ()}, "flex-activity-0-accounts-20260928T194114.xml"),
        ({"accounts": ("../../etc",)}, "flex-activity-______etc-20260928T194114.xml"),
        ({"generated_at": None}, "flex-activity-U1234567-20260929T063000.xml"),
        ({"query": StatementQuery.CONFIRMATION}, "flex-confirmation-U1234567-20260928T194114.xml"),
    ],
)
def test_a_file_is_named_by_query_account_and_time(changes: dict[str, object], name: str) -> None:
    """New York's time of making, else of fetching; nothing of an account can leave the folder."""
    assert file_name(found(**changes), NOW) == name


def statements(*told: tuple[str, StatementKind, date]) -> MemoryStatementStore:
    store = MemoryStatementStore()
    for place, (account, kind, day) in enumerate(told):
        store.record(
            BrokerStatement(
                venue=Venue.IBKR,
                account=account,
                kind=kind,
                query_name="",
                from_date=day,
                to_date=day,
                generated_at=None,
                base_currency=None,
                sha256=f"{place}",
                batch=FillBatch(venue=Venue.IBKR, source=Source.STATEMENT, origin="x"),
                sections=(),
                unknown_fields=(),
            ),
            NOW,
        )
    return store


AF, TCF = StatementKind.ACTIVITY, StatementKind.CONFIRMATION
U1, U2, KALSHI = (Venue.IBKR, "U1"), (Venue.IBKR, "U2"), (Venue.KALSHI, "k")
BEFORE = SESSION - timedelta(days=3)


@pytest.mark.parametrize(
    ("accounts", "told", "expected"),
    [
        ([], (), False),
        ([U1, KALSHI], (), False),
        ([U1, KALSHI], (("U1", AF, SESSION),), True),
        ([U1], (("U1", TCF, SESSION),), False),
        ([U1], (("U1", AF, BEFORE),), False),
        ([U1, U2], (("U1", AF, SESSION), ("U2", AF, BEFORE)), False),
        ([U1, U2], (("U1", AF, SESSION), ("U2", AF, SESSION)), True),
        ([U1, U2], (("U1", AF, SESSION), ("U2", AF, date(2025, 1, 3))), True),
    ],
)
def test_a_statement_is_here_when_every_living_account_has_it(
    accounts: list[tuple[Venue, str]], told: tuple[tuple[str, StatementKind, date], ...], expected: bool
) -> None:
    """An account that was closed long ago is not waited for, and other venues make no statements."""
    assert is_told(ACTIVITY, SESSION, statements(*told), accounts) is expected


def settings(every_min: int) -> ReconciliationSettings:
    return ReconciliationSettings(
        break_at=Decimal("0.005"),
        lock_contract_below=Decimal(100),
        lock_underlying_below=Decimal(1000),
        provisional_after_close_min=45,
        final_at=time(6, 30),
        final_retry_until=time(9, 0),
        final_retry_every_min=every_min,
        default_account=AccountPolicy(entries_before_reconciled=False),
        accounts=MappingProxyType({}),
    )


@pytest.mark.parametrize(
    ("every_min", "turns"),
    [
        (15, 11),
        (30, 6),
        (60, 3),
        (600, 1),
    ],
)
def test_the_activity_statement_is_asked_for_from_half_past_six_to_nine(every_min: int, turns: int) -> None:
    """At 06:30 and every so many minutes, on the morning after; not at any other tick."""
    start = datetime(2026, 9, 29, 6, 0, tzinfo=NEW_YORK)
    ticks = [start + timedelta(minutes=15 * place) for place in range(16)]
    due = [at for at in ticks if fetch_due(at, settings(every_min), timedelta(minutes=15)) == SESSION]
    assert len(due) == turns
    assert due[0].time() == time(6, 30)
    assert due[-1].time() <= time(9, 0)
