"""`desk reconcile`: bring the books up to date and compare them with the broker."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.clickhouse.client import Warehouse
from adapters.configuration import load_settings
from adapters.wiring import ingest_stores, open_warehouse, pnl_stores, reconcile_stores
from desk.answers import Advance, AsJson, ExitCode, complain, finish, print_json, print_table, progress, say
from desk.commands.breaks import break_row, show_breaks
from desk.days import EARLIEST, LATEST, session_of
from desk.venue_files import read_venue_file
from trading.model.fills import Venue
from trading.ports.model_runner import SessionRange
from trading.services.compute_books import BooksReport, BookTools, compute_books, widened
from trading.services.ingest_fills import ingest_fills
from trading.services.reconcile_books import ReconcileSummary, ReconcileTools
from trading.services.reconcile_session import reconcile_range
from trading.settings import Settings

COUNTS = ("sessions", "breaks open", "breaks explained")


def reconcile(
    session: Annotated[
        str | None, typer.Option("--session", metavar="YYYY-MM-DD", help="One session; else all of them.")
    ] = None,
    statement: Annotated[
        list[Path] | None,
        typer.Option("--statement", metavar="FILE", help="Take these in first; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute P&L where something changed, compare each session with the broker, write breaks and locks.

    Running it twice changes nothing. Exit code 1 when a break is open or a row of a statement was rejected.

    Examples:

        desk reconcile

        desk reconcile --session 2026-11-19

        desk reconcile --statement activity.xml --statement today.xml --json
    """
    day = session_of(session, "--session") if session else None
    settings = load_settings()
    warehouse = open_warehouse(settings)
    with progress() as advance:
        rejected = _take_in(statement or [], settings, warehouse, advance)
        books, summary = _bring_up_to_date(day, settings, warehouse, advance)
    document = _document(books, summary, rejected)
    if as_json:
        print_json(document)
    else:
        _show(document)
    if rejected:
        complain(f"rejected: {rejected}; why: desk sql 'select * from audit.rejected_rows'")
    finish(ExitCode.FINDINGS if rejected or summary.open_breaks else ExitCode.DONE)


def _take_in(files: list[Path], settings: Settings, warehouse: Warehouse, advance: Advance) -> int:
    sources = []
    for number, path in enumerate(files):
        advance(path.name, number, len(files))
        sources.append(read_venue_file(path, Venue.IBKR, account=""))
    return ingest_fills(sources, ingest_stores(settings, warehouse, "desk")).refused_rows


def _bring_up_to_date(
    day: date | None, settings: Settings, warehouse: Warehouse, advance: Advance
) -> tuple[BooksReport, ReconcileSummary]:
    advance("computing P&L", 0, None)
    tools = BookTools(stores=pnl_stores(warehouse), method=settings.books.lot_method)
    books = compute_books(day or LATEST, tools)
    asked = SessionRange(first=day, last=day) if day else SessionRange(first=EARLIEST, last=LATEST)
    wanted = widened(asked, books)
    against = ReconcileTools(stores=reconcile_stores(settings, warehouse), settings=settings.reconciliation)
    reports = [
        report
        for venue, account in against.stores.fills.accounts()
        for report in reconcile_range(
            against.stores,
            against.settings,
            venue,
            account,
            wanted.first,
            wanted.last,
            progress=partial(advance, f"reconciling {account}"),
        )
    ]
    return books, ReconcileSummary(reports=tuple(reports))


def _document(books: BooksReport, summary: ReconcileSummary, rejected: int) -> dict[str, Any]:
    words = [report.sign_off for report in summary.reports]
    accounts = sorted({(word.venue, word.account, word.state.value) for word in words})
    return {
        "rejected": rejected,
        "sessions_computed": books.computed,
        "sessions_unchanged": books.unchanged,
        "sessions_compared": len(words),
        "states": dict(summary.states),
        "breaks_open": summary.open_breaks,
        "breaks_explained": sum(word.breaks_explained for word in words),
        "break_events_new": summary.new_events,
        "lock_events_new": summary.lock_events,
        "accounts": [_account(words, *key) for key in accounts],
        "open": [break_row(event) for report in summary.reports for event in report.open_breaks],
    }


def _account(words: list[Any], venue: str, account: str, state: str) -> dict[str, Any]:
    own = [word for word in words if (word.venue, word.account, word.state.value) == (venue, account, state)]
    return {
        "venue": venue,
        "account": account,
        "state": state,
        "sessions": len(own),
        "breaks_open": sum(word.breaks_open for word in own),
        "breaks_explained": sum(word.breaks_explained for word in own),
    }


def _show(document: dict[str, Any]) -> None:
    rows = [
        (
            item["venue"],
            item["account"],
            item["state"],
            item["sessions"],
            item["breaks_open"],
            item["breaks_explained"],
        )
        for item in document["accounts"]
    ]
    print_table("", ("venue", "account", "state", *COUNTS), rows, right=COUNTS)
    say(
        f"{document['sessions_computed']} sessions computed, {document['sessions_unchanged']} unchanged; "
        f"{document['break_events_new']} break events and {document['lock_events_new']} lock events are new."
    )
    if document["open"]:
        show_breaks("Open breaks", document["open"])
