"""Statements in ClickHouse: rows first, the statement's own row last, so that a kill leaves nothing visible.

The tables are keyed by the statement's content and the views pick the word that counts, so files may
come twice, in any order, and from two processes. What a row means is in `statement_rows`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha1
from typing import Any, TypeVar

import sql
from adapters.clickhouse.batch_audit import stored_text
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.statement_rows import (
    OPENING_LOT_COLUMNS,
    SECTIONS,
    cash_flow_of,
    cash_of,
    corporate_action_of,
    fx_rate_of,
    opening_lot_cells,
    opening_lot_of,
    option_event_of,
    position_of,
)
from trading.model.fills import Venue
from trading.model.statements import (
    BrokerStatement,
    CashBalance,
    CashFlow,
    CorporateAction,
    FxRate,
    OptionEvent,
    StatementKind,
    StatementPosition,
)
from trading.ports.statement_store import OpeningLot, StatementHeader, StatementStore

ROWS_PER_INSERT_MAX = 50_000
POSITIONS_SECTION = "OpenPositions"
CASH_SECTION = "CashReport"
HEADER_COLUMNS = (
    "venue",
    "account",
    "to_date",
    "from_date",
    "statement_id",
    "kind",
    "query_name",
    "generated_at",
    "base_currency",
    "sha256",
    "origin",
    "sections",
    "unknown_fields",
    "trade_rows",
    "received_at",
)
Row = TypeVar("Row")


class ClickHouseStatementStore(StatementStore):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def record(self, statement: BrokerStatement, received_at: datetime) -> bool:
        """Store all but the trade rows; False where it was there already."""
        (is_new,) = self.record_all([statement], received_at)
        return is_new

    def record_all(self, statements: Sequence[BrokerStatement], received_at: datetime) -> Sequence[bool]:
        """Store several statements with one insert for each of their tables."""
        names = [statement_id(statement) for statement in statements]
        known = self._known(statements, names) if statements else set()
        fresh: dict[str, BrokerStatement] = {}
        are_new = []
        for name, statement in zip(names, statements, strict=True):
            are_new.append(name not in known and name not in fresh)
            if are_new[-1]:
                fresh[name] = statement
        told = sha1("\x1f".join(fresh).encode(), usedforsecurity=False).hexdigest()
        for section in SECTIONS:
            cells = [row for name, statement in fresh.items() for row in section.cells(statement, name)]
            for start in range(0, len(cells), ROWS_PER_INSERT_MAX):
                part = cells[start : start + ROWS_PER_INSERT_MAX]
                token = f"{section.table}-{told}-{start}"
                self._warehouse.insert(section.table, section.all_columns, part, token)
        headers = [_header_cells(statement, name, received_at) for name, statement in fresh.items()]
        self._warehouse.insert("core.broker_statements", HEADER_COLUMNS, headers, token=f"statement-{told}")
        return are_new

    def statements(self, venue: Venue, account: str) -> Sequence[StatementHeader]:
        """Return every statement of the account, by last day, lowest precedence first."""
        return [_header_of(row) for row in self._asked("statements", venue, account)]

    def positions(self, venue: Venue, account: str, session: date) -> Sequence[StatementPosition] | None:
        """Return the positions at the end of the session; None where no Activity statement tells any."""
        return self.positions_on(venue, account, [session]).get(session)

    def positions_on(
        self, venue: Venue, account: str, days: Collection[date]
    ) -> Mapping[date, Sequence[StatementPosition]]:
        """Return the positions at the end of those days for which a statement tells any."""
        asked = self._telling(venue, account, days, POSITIONS_SECTION)
        told: dict[date, list[StatementPosition]] = {day: [] for day in asked}
        name = "statement_positions_on"
        for row in self._read(position_of, name, venue, account, days=asked) if asked else ():
            told[row.report_date].append(row)
        return told

    def cash(self, venue: Venue, account: str, session: date) -> Sequence[CashBalance] | None:
        """Return the cash reports that end on the session; None where no Activity statement has any."""
        return self.cash_on(venue, account, [session]).get(session)

    def cash_on(
        self, venue: Venue, account: str, days: Collection[date]
    ) -> Mapping[date, Sequence[CashBalance]]:
        """Return the cash reports that end on those days on which a statement has any."""
        asked = self._telling(venue, account, days, CASH_SECTION)
        told: dict[date, list[CashBalance]] = {day: [] for day in asked}
        for row in self._read(cash_of, "statement_cash_on", venue, account, days=asked) if asked else ():
            told[row.to_date].append(row)
        return told

    def cash_flows(self, venue: Venue, account: str, start: date, end: date) -> Sequence[CashFlow]:
        """Return the cash transactions reported in [start, end], each once, all levels, by day."""
        return self._read(cash_flow_of, "statement_cash_flows_between", venue, account, start=start, end=end)

    def option_events(self, venue: Venue, account: str, start: date, end: date) -> Sequence[OptionEvent]:
        """Return the option events in [start, end], each once, by day."""
        return self._read(option_event_of, "option_events_between", venue, account, start=start, end=end)

    def corporate_actions(
        self, venue: Venue, account: str, start: date, end: date
    ) -> Sequence[CorporateAction]:
        """Return the corporate actions reported in [start, end], each once, by day."""
        name = "corporate_actions_between"
        return self._read(corporate_action_of, name, venue, account, start=start, end=end)

    def fx_rates(self, venue: Venue, account: str, start: date, end: date) -> Sequence[FxRate]:
        """Return the conversion rates of [start, end], one per day and pair, by day."""
        return self._read(fx_rate_of, "fx_rates_between", venue, account, start=start, end=end)

    def add_opening_lots(self, lots: Sequence[OpeningLot]) -> int:
        """Store lots (the same lots twice are stored once) and return how many were new."""
        cells = opening_lot_cells(lots)
        place = OPENING_LOT_COLUMNS.index("lot_id")
        asked = {"lot_ids": [str(row[place]) for row in cells]}
        found = self._warehouse.rows(sql.query("opening_lots_known"), asked) if cells else []
        known = {row["lot_id"] for row in found}
        fresh = [row for row in cells if row[place] not in known]
        told = "\x1f".join(sorted(str(row[place]) for row in fresh))
        token = f"opening-lots-{sha1(told.encode(), usedforsecurity=False).hexdigest()}"
        return self._warehouse.insert("core.opening_lots", OPENING_LOT_COLUMNS, fresh, token)

    def opening_lots(self, venue: Venue, account: str) -> Sequence[OpeningLot]:
        """Return the account's opening lots, oldest first."""
        return self._read(opening_lot_of, "opening_lots", venue, account)

    def _known(self, statements: Sequence[BrokerStatement], names: Sequence[str]) -> set[str]:
        asked = {
            "venues": sorted({str(statement.venue) for statement in statements}),
            "accounts": sorted({statement.account for statement in statements}),
            "statement_ids": sorted(names),
        }
        return {row["statement_id"] for row in self._warehouse.rows(sql.query("statement_known"), asked)}

    def _telling(self, venue: Venue, account: str, days: Collection[date], section: str) -> list[date]:
        if not days:
            return []
        found = self._asked("statement_tells", venue, account, days=sorted(days), section=section)
        return sorted(row["to_date"] for row in found)

    def _read(
        self,
        rebuild: Callable[[Mapping[str, Any]], Row],
        name: str,
        venue: Venue,
        account: str,
        **params: object,
    ) -> list[Row]:
        return [rebuild(row) for row in self._asked(name, venue, account, **params)]

    def _asked(self, name: str, venue: Venue, account: str, **params: object) -> list[dict[str, Any]]:
        return self._warehouse.rows(sql.query(name), {"venue": str(venue), "account": account, **params})


def statement_id(statement: BrokerStatement) -> str:
    """Name a statement by what it is: its account, kind and days in the file with this hash."""
    parts = (statement.venue, statement.account, statement.kind, statement.query_name)
    days = (statement.from_date.isoformat(), statement.to_date.isoformat(), statement.sha256)
    text = "\x1f".join((*map(str, parts), *days))
    return sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _header_cells(statement: BrokerStatement, name: str, received_at: datetime) -> tuple[object, ...]:
    return (
        str(statement.venue),
        statement.account,
        statement.to_date,
        statement.from_date,
        name,
        str(statement.kind),
        stored_text(statement.query_name),
        statement.generated_at,
        statement.base_currency,
        statement.sha256,
        stored_text(statement.batch.origin),
        [stored_text(section) for section in statement.sections],
        [stored_text(field) for field in statement.unknown_fields],
        statement.batch.total_rows,
        received_at,
    )


def _header_of(row: Mapping[str, Any]) -> StatementHeader:
    told = {**row, "venue": Venue(row["venue"]), "kind": StatementKind(row["kind"])}
    return StatementHeader(
        **{**told, "sections": tuple(row["sections"]), "unknown_fields": tuple(row["unknown_fields"])}
    )
