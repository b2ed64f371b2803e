"""P&L in ClickHouse: results first, pointers last, so that a kill in between leaves nothing that a view
shows.

A result row is identified by its run, and a run by its inputs: writing the same run again writes the same
rows.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.pnl_columns import (
    CASH_COLUMNS,
    DAILY_COLUMNS,
    LOT_COLUMNS,
    MATCH_COLUMNS,
    RUN_COLUMNS,
)
from adapters.clickhouse.pnl_rows import (
    Cells,
    book_of,
    cash_cells,
    cash_of_row,
    daily_cells,
    daily_of_row,
    lot_cells,
    lot_of_row,
    match_cells,
    match_of_row,
    run_cells,
    run_of_row,
    withdrawn_cells,
)
from adapters.clickhouse.session_versions import next_version, versions_before
from trading.model.fills import Venue
from trading.pnl.book import Book, SessionResult
from trading.ports.pnl_store import PnlRun, PnlStore, SessionOutcome

ROWS_PER_INSERT_MAX = 50_000
Row = TypeVar("Row")


class ClickHousePnlStore(PnlStore):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def fill_digests(self, venue: Venue, account: str) -> Mapping[date, tuple[str, int]]:
        """Return a hash over all fills of each session, computed on the server."""
        rows = self._warehouse.rows(sql.query("pnl_fill_digests"), _of(venue, account))
        return {row["session"]: (row["digest"], row["fills"]) for row in rows}

    def runs(self, venue: Venue, account: str) -> Sequence[PnlRun]:
        """Return the runs that count, by session."""
        rows = self._warehouse.rows(sql.query("pnl_runs"), _of(venue, account))
        return [run_of_row(row) for row in rows]

    def book(self, venue: Venue, account: str, upto: date) -> Book | None:
        """Return the book after the last session that counts at or before `upto`."""
        found = self._warehouse.rows(sql.query("pnl_last_run"), {**_of(venue, account), "upto": upto})
        if not found:
            return None
        run = found[0]
        lots = self._rows_of("pnl_lots", venue, account, {run["session"]: run["run_id"]}, lot_of_row)
        return book_of(venue, account, run, lots[run["session"]])

    def result(self, venue: Venue, account: str, session: date) -> SessionResult | None:
        """Return the rows of a session; None where no run counts for it."""
        return self.results(venue, account, [session]).get(session)

    def results(self, venue: Venue, account: str, sessions: Collection[date]) -> Mapping[date, SessionResult]:
        """Return the rows of those sessions for which a run counts, by five questions."""
        asked = set(sessions)
        runs = {
            run.session: run.run_id for run in self.runs(venue, account) if asked and run.session in asked
        }
        lots = self._rows_of("pnl_lots", venue, account, runs, lot_of_row)
        matches = self._rows_of("pnl_matches", venue, account, runs, match_of_row)
        daily = self._rows_of("pnl_daily_rows", venue, account, runs, daily_of_row)
        cash = self._rows_of("pnl_cash_rows", venue, account, runs, cash_of_row)
        return {
            session: SessionResult(
                session=session,
                lots=tuple(lots[session]),
                matches=tuple(matches[session]),
                daily=tuple(daily[session]),
                cash=tuple(cash[session]),
            )
            for session in runs
        }

    def cash_moved(self, venue: Venue, account: str, start: date, end: date) -> Mapping[str, Decimal]:
        """Return the cash moved by currency, opening balances left out."""
        asked = {**_of(venue, account), "start": start, "end": end}
        rows = self._warehouse.rows(sql.query("pnl_cash_moved"), asked)
        return {row["currency"]: row["amount"] for row in rows}

    def write(self, outcomes: Sequence[SessionOutcome]) -> None:
        """Store results, then the pointers."""
        if not outcomes:
            return
        name = _name(outcome.run.run_id for outcome in outcomes)
        lots = [row for item in outcomes for row in lot_cells(item.run, item.result.lots)]
        matches = [match_cells(item.run, match) for item in outcomes for match in item.result.matches]
        daily = [daily_cells(item.run, row) for item in outcomes for row in item.result.daily]
        cash = [
            cash_cells(item.run, place, entry)
            for item in outcomes
            for place, entry in enumerate(item.result.cash)
        ]
        self._insert("core.lot_versions", LOT_COLUMNS, lots, name)
        self._insert("core.lot_match_versions", MATCH_COLUMNS, matches, name)
        self._insert("core.pnl_daily_versions", DAILY_COLUMNS, daily, name)
        self._insert("core.cash_ledger_versions", CASH_COLUMNS, cash, name)
        keys = [(item.run.venue, item.run.account, item.run.session) for item in outcomes]
        before = versions_before(self._warehouse, "pnl_versions", keys)
        pointers = [
            run_cells(item, next_version(item.run.computed_at, before.get(key)))
            for key, item in zip(keys, outcomes, strict=True)
        ]
        # A pointer that moves away and back again is told anew each time: its token holds its time.
        at = outcomes[-1].run.computed_at.isoformat()
        self._insert("core.pnl_runs", RUN_COLUMNS, pointers, f"{name}-{at}")

    def withdraw(self, venue: Venue, account: str, sessions: Collection[date], at: datetime) -> None:
        """Point sessions to nothing."""
        keys = [(venue, account, session) for session in sorted(sessions)]
        before = versions_before(self._warehouse, "pnl_versions", keys)
        rows = [
            withdrawn_cells(str(venue), account, key[2], at, next_version(at, before.get(key)))
            for key in keys
        ]
        token = _name([str(venue), account, *map(str, sorted(sessions)), at.isoformat()])
        self._insert("core.pnl_runs", RUN_COLUMNS, rows, token)

    def _rows_of(
        self,
        name: str,
        venue: Venue,
        account: str,
        runs: Mapping[date, str],
        rebuild: Callable[[Mapping[str, Any]], Row],
    ) -> Mapping[date, list[Row]]:
        """One table's rows of some sessions; a run id is of one session, so the two lists name pairs."""
        asked = {**_of(venue, account), "sessions": sorted(runs), "run_ids": sorted(runs.values())}
        found: dict[date, list[Row]] = {session: [] for session in runs}
        for row in self._warehouse.rows(sql.query(name), asked) if runs else ():
            found[row["session"]].append(rebuild(row))
        return found

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[Cells], name: str) -> None:
        for start in range(0, len(rows), ROWS_PER_INSERT_MAX):
            part = rows[start : start + ROWS_PER_INSERT_MAX]
            self._warehouse.insert(table, columns, part, token=f"{table}-{name}-{start}")


def _of(venue: Venue, account: str) -> dict[str, object]:
    return {"venue": str(venue), "account": account}


def _name(parts: Iterable[str]) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()[:32]
