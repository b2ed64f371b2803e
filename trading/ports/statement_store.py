"""Where the broker's statements are kept: each as it was told, and the word that counts among several.

What counts is the statement that the broker made last, never the one that came last. None means that no
statement says anything (the section or the statement is not there); an empty sequence means that it says
"none".
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from trading.model.fills import Venue
from trading.model.instruments import Instrument
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

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # of a statement that does not say when it was made


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementHeader:
    """A kept statement without its rows; `statement_id` is of its content, so the same statement has one."""

    statement_id: str
    venue: Venue
    account: str
    kind: StatementKind
    query_name: str
    from_date: date
    to_date: date
    generated_at: datetime | None
    base_currency: str | None
    sha256: str
    sections: tuple[str, ...]
    unknown_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLot:
    """A lot older than the first statement, imported by a person; quantity signed, cost_basis money."""

    venue: Venue
    account: str
    as_of: date
    instrument: Instrument
    conid: int | None
    quantity: Decimal
    multiplier: Decimal
    currency: str
    cost_basis: Decimal
    open_ts: datetime
    origin: str


class StatementStore(ABC):
    """Statements, the same one told twice stored once."""

    @abstractmethod
    def record(self, statement: BrokerStatement, received_at: datetime) -> bool:
        """Store all but the trade rows (`FillStore.record` takes those); False where it was there already."""

    def record_all(self, statements: Sequence[BrokerStatement], received_at: datetime) -> Sequence[bool]:
        """Store several statements; False for each that was there already. After an error any of them may be
        stored, and each may be told again.
        """
        return [self.record(statement, received_at) for statement in statements]

    @abstractmethod
    def statements(self, venue: Venue, account: str) -> Sequence[StatementHeader]:
        """Return every statement of the account, by last day, lowest precedence first."""

    def covering(
        self, venue: Venue, account: str, session: date, kind: StatementKind
    ) -> StatementHeader | None:
        """Return the statement of this kind, made last, whose days hold the session."""
        return statement_covering(self.statements(venue, account), session, kind)

    @abstractmethod
    def positions(self, venue: Venue, account: str, session: date) -> Sequence[StatementPosition] | None:
        """Return the positions at the end of the session; None where no Activity statement tells any."""

    def positions_on(
        self, venue: Venue, account: str, days: Collection[date]
    ) -> Mapping[date, Sequence[StatementPosition]]:
        """Return the positions at the end of those days for which a statement tells any."""
        found = {day: self.positions(venue, account, day) for day in days}
        return {day: rows for day, rows in found.items() if rows is not None}

    @abstractmethod
    def cash(self, venue: Venue, account: str, session: date) -> Sequence[CashBalance] | None:
        """Return the cash reports that end on the session; None where no Activity statement has any."""

    def cash_on(
        self, venue: Venue, account: str, days: Collection[date]
    ) -> Mapping[date, Sequence[CashBalance]]:
        """Return the cash reports that end on those days on which a statement has any."""
        found = {day: self.cash(venue, account, day) for day in days}
        return {day: rows for day, rows in found.items() if rows is not None}

    @abstractmethod
    def cash_flows(self, venue: Venue, account: str, start: date, end: date) -> Sequence[CashFlow]:
        """Return the cash transactions reported in [start, end], each once, all levels, by day."""

    @abstractmethod
    def option_events(self, venue: Venue, account: str, start: date, end: date) -> Sequence[OptionEvent]:
        """Return the option events in [start, end], each once, by day."""

    @abstractmethod
    def corporate_actions(
        self, venue: Venue, account: str, start: date, end: date
    ) -> Sequence[CorporateAction]:
        """Return the corporate actions reported in [start, end], each once, by day."""

    @abstractmethod
    def fx_rates(self, venue: Venue, account: str, start: date, end: date) -> Sequence[FxRate]:
        """Return the conversion rates of [start, end], one per day and pair, by day."""

    @abstractmethod
    def add_opening_lots(self, lots: Sequence[OpeningLot]) -> int:
        """Store lots (the same lots twice are stored once) and return how many were new."""

    @abstractmethod
    def opening_lots(self, venue: Venue, account: str) -> Sequence[OpeningLot]:
        """Return the account's opening lots, oldest first."""


def statement_covering(
    headers: Iterable[StatementHeader], session: date, kind: StatementKind
) -> StatementHeader | None:
    """Return the statement of this kind, made last, whose days hold the session.

    Of two that were made at once it is the one that ends first, then the one of the greatest id.
    """

    def precedence(header: StatementHeader) -> tuple[datetime, int, str]:
        return (header.generated_at or NEVER, -header.to_date.toordinal(), header.statement_id)

    covering = (
        header for header in headers if header.kind is kind and header.from_date <= session <= header.to_date
    )
    return max(covering, key=precedence, default=None)
