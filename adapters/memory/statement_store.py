"""Statements in memory: the word that counts is chosen as in the warehouse."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha1
from typing import Any, TypeVar

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

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
Row = TypeVar("Row")


class MemoryStatementStore(StatementStore):
    """The port in one process."""

    def __init__(self) -> None:
        self._statements: dict[str, BrokerStatement] = {}
        self._lots: list[OpeningLot] = []

    def record(self, statement: BrokerStatement, received_at: datetime) -> bool:
        """Store the statement; False where it was there already."""
        name = _statement_id(statement)
        is_new = name not in self._statements
        self._statements.setdefault(name, statement)
        return is_new

    def statements(self, venue: Venue, account: str) -> Sequence[StatementHeader]:
        """Return every statement of the account, by last day, lowest precedence first."""
        told = sorted(self._of(venue, account), key=lambda item: (item[1].to_date, _precedence(item)))
        return [_header(name, statement) for name, statement in told]

    def positions(self, venue: Venue, account: str, session: date) -> Sequence[StatementPosition] | None:
        """Return the positions at the end of the session; None where no Activity statement tells any."""
        statement = self._telling(venue, account, session, "OpenPositions")
        if statement is None:
            return None
        told = [row for row in statement.positions if row.report_date == session]
        return sorted(told, key=lambda row: (row.instrument.instrument_id, row.level))

    def cash(self, venue: Venue, account: str, session: date) -> Sequence[CashBalance] | None:
        """Return the cash reports that end on the session; None where no Activity statement has any."""
        statement = self._telling(venue, account, session, "CashReport")
        if statement is None:
            return None
        return sorted((row for row in statement.cash if row.to_date == session), key=lambda row: row.currency)

    def cash_flows(self, venue: Venue, account: str, start: date, end: date) -> Sequence[CashFlow]:
        """Return the cash transactions reported in [start, end], each once, all levels, by day."""
        told = self._latest(
            venue,
            account,
            lambda statement: statement.cash_flows,
            lambda row: (row.transaction_id, row.level) if row.transaction_id else None,
        )
        return sorted(
            (row for row in told if start <= row.report_date <= end), key=lambda row: row.report_date
        )

    def option_events(self, venue: Venue, account: str, start: date, end: date) -> Sequence[OptionEvent]:
        """Return the option events in [start, end], each once, by day."""
        told = self._latest(
            venue,
            account,
            lambda statement: statement.option_events,
            lambda row: (row.trade_id, row.kind, row.conid) if row.trade_id else None,
        )
        return sorted((row for row in told if start <= row.event_date <= end), key=lambda row: row.event_date)

    def corporate_actions(
        self, venue: Venue, account: str, start: date, end: date
    ) -> Sequence[CorporateAction]:
        """Return the corporate actions reported in [start, end], each once, by day."""
        told = self._latest(
            venue,
            account,
            lambda statement: statement.corporate_actions,
            lambda row: row.transaction_id or None,
        )
        return sorted(
            (row for row in told if start <= row.report_date <= end), key=lambda row: row.report_date
        )

    def fx_rates(self, venue: Venue, account: str, start: date, end: date) -> Sequence[FxRate]:
        """Return the conversion rates of [start, end], one per day and pair, by day."""
        told = self._latest(
            venue,
            account,
            lambda statement: statement.fx_rates,
            lambda row: (row.report_date, row.from_currency, row.to_currency),
        )
        return sorted(
            (row for row in told if start <= row.report_date <= end), key=lambda row: row.report_date
        )

    def add_opening_lots(self, lots: Sequence[OpeningLot]) -> int:
        """Store lots (the same lots twice are stored once) and return how many were new."""
        known = [replace(lot, origin="") for lot in self._lots]
        fresh = []
        for lot in lots:
            bare = replace(lot, origin="")
            if bare in known:
                known.remove(bare)
            else:
                fresh.append(lot)
        self._lots += fresh
        return len(fresh)

    def opening_lots(self, venue: Venue, account: str) -> Sequence[OpeningLot]:
        """Return the account's opening lots, oldest first."""
        own = [lot for lot in self._lots if (lot.venue, lot.account) == (venue, account)]
        return sorted(own, key=lambda lot: lot.open_ts)

    def _of(self, venue: Venue, account: str) -> list[tuple[str, BrokerStatement]]:
        told = self._statements.items()
        return [item for item in told if (item[1].venue, item[1].account) == (venue, account)]

    def _telling(self, venue: Venue, account: str, session: date, section: str) -> BrokerStatement | None:
        found = [
            item
            for item in self._of(venue, account)
            if item[1].kind is StatementKind.ACTIVITY
            and item[1].to_date == session
            and section in item[1].sections
        ]
        chosen = max(found, key=_precedence, default=None)
        return chosen[1] if chosen else None

    def _latest(
        self,
        venue: Venue,
        account: str,
        rows: Callable[[BrokerStatement], Iterable[Row]],
        identity: Callable[[Any], object],
    ) -> list[Row]:
        """Return each row once, by its name or its content and ordinal; the statement made last wins."""
        chosen: dict[object, Row] = {}
        for _, statement in sorted(self._of(venue, account), key=lambda item: _precedence(item)[1:]):
            seen: dict[object, int] = {}
            for row in rows(statement):
                name = identity(row) or row
                seen[name] = seen.get(name, 0) + 1
                chosen[(name, seen[name])] = row
        return list(chosen.values())


def _statement_id(statement: BrokerStatement) -> str:
    parts = (statement.account, statement.kind, statement.from_date, statement.to_date, statement.sha256)
    return sha1("\x1f".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def _precedence(item: tuple[str, BrokerStatement]) -> tuple[bool, datetime, str]:
    name, statement = item
    return (statement.kind is StatementKind.ACTIVITY, statement.generated_at or NEVER, name)


def _header(name: str, statement: BrokerStatement) -> StatementHeader:
    return StatementHeader(
        statement_id=name,
        venue=statement.venue,
        account=statement.account,
        kind=statement.kind,
        query_name=statement.query_name,
        from_date=statement.from_date,
        to_date=statement.to_date,
        generated_at=statement.generated_at,
        base_currency=statement.base_currency,
        sha256=statement.sha256,
        sections=statement.sections,
        unknown_fields=statement.unknown_fields,
    )
