"""A statement's rows as table cells and back: one `Section` per table, so that both ways agree."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

from adapters.clickhouse.batch_audit import stored_text
from adapters.clickhouse.instruments import INSTRUMENT_COLUMNS, instrument_cells, instrument_value
from trading.model.fills import Venue
from trading.model.statements import (
    BrokerStatement,
    CashBalance,
    CashFlow,
    CorporateAction,
    DetailLevel,
    FxRate,
    OptionEvent,
    StatementPosition,
)
from trading.ports.statement_store import OpeningLot

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # told_at of a statement that does not say when it was made
KEY_COLUMNS = ("venue", "account", "statement_id", "told_at", "row_key")

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """How one kind of row is kept: its table, its own day, its columns, and what makes two rows the same row.

    `identity` returns the broker's own name of the row, empty where it gives none: then the row's
    content and its ordinal among equal rows of the statement name it.
    """

    table: str
    day_column: str
    columns: tuple[str, ...]
    rows: Callable[[BrokerStatement], Sequence[Any]]
    identity: Callable[[Any], Key] = lambda row: ()
    has_instrument: bool = False
    has_told_at: bool = True

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Every column that is written."""
        keys = KEY_COLUMNS if self.has_told_at else tuple(k for k in KEY_COLUMNS if k != "told_at")
        of_instrument = tuple(c for c in INSTRUMENT_COLUMNS if c != "conid") if self.has_instrument else ()
        return (*keys, self.day_column, *of_instrument, *self.columns)

    def cells(self, statement: BrokerStatement, statement_id: str) -> list[tuple[object, ...]]:
        """Return the statement's rows in the order of `all_columns`."""
        told_at = statement.generated_at or NEVER
        keys: tuple[object, ...] = (str(statement.venue), statement.account, statement_id)
        keys = (*keys, told_at) if self.has_told_at else keys
        seen: Counter[str] = Counter()
        return [
            (*keys, self._row_key(row, seen), *self._values(row, statement)) for row in self.rows(statement)
        ]

    def _values(self, row: Any, statement: BrokerStatement) -> tuple[object, ...]:
        day = getattr(row, self.day_column, statement.to_date)
        of_instrument: tuple[object, ...] = ()
        if self.has_instrument:
            shown = dict(zip(INSTRUMENT_COLUMNS, instrument_cells(row.instrument, row.conid), strict=True))
            of_instrument = tuple(value for name, value in shown.items() if name != "conid")
        return (day, *of_instrument, *(_cell(getattr(row, name)) for name in self.columns))

    def _row_key(self, row: Any, seen: "Counter[str]") -> str:
        told = self.identity(row)
        text = "\x1f".join(map(str, told)) if any(told) else repr(row)
        digest = sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
        seen[digest] += 1
        return f"{digest}#{seen[digest]}"


POSITIONS = Section(
    table="core.statement_positions",
    day_column="report_date",
    columns=(
        "conid",
        "level",
        "quantity",
        "multiplier",
        "currency",
        "mark_price",
        "cost_basis",
        "open_ts",
        "originating_transaction_id",
        "fx_rate_to_base",
        "raw",
    ),
    rows=lambda statement: statement.positions,
    has_instrument=True,
)
CASH = Section(
    table="core.statement_cash",
    day_column="to_date",
    columns=("from_date", "currency", "starting", "ending", "lines", "raw"),
    rows=lambda statement: statement.cash,
)
CASH_FLOWS = Section(
    table="core.statement_cash_flows",
    day_column="report_date",
    columns=(
        "settle_date",
        "currency",
        "amount",
        "kind",
        "level",
        "description",
        "transaction_id",
        "conid",
        "fx_rate_to_base",
        "raw",
    ),
    rows=lambda statement: statement.cash_flows,
    identity=lambda row: (row.transaction_id, row.level) if row.transaction_id else (),
)
OPTION_EVENTS = Section(
    table="core.option_events",
    day_column="event_date",
    columns=("conid", "kind", "quantity", "price", "mark_price", "realized", "trade_id", "action_id", "raw"),
    rows=lambda statement: statement.option_events,
    identity=lambda row: (row.trade_id, row.kind, row.conid) if row.trade_id else (),
    has_instrument=True,
)
CORPORATE_ACTIONS = Section(
    table="core.corporate_actions",
    day_column="report_date",
    columns=(
        "conid",
        "action_ts",
        "kind",
        "quantity",
        "currency",
        "proceeds",
        "description",
        "action_id",
        "transaction_id",
        "raw",
    ),
    rows=lambda statement: statement.corporate_actions,
    identity=lambda row: (row.transaction_id,) if row.transaction_id else (),
    has_instrument=True,
)
CONTRACTS = Section(
    table="core.statement_contracts",
    day_column="to_date",
    columns=("conid", "description", "isin", "listing_exchange", "raw"),
    rows=lambda statement: statement.contracts,
    has_instrument=True,
)
FX_RATES = Section(
    table="core.fx_rates",
    day_column="report_date",
    columns=("from_currency", "to_currency", "rate"),
    rows=lambda statement: statement.fx_rates,
    identity=lambda row: (row.report_date, row.from_currency, row.to_currency),
)
OTHER_ROWS = Section(
    table="raw.statement_rows",
    day_column="to_date",
    columns=("section", "tag", "raw"),
    rows=lambda statement: statement.other_rows,
    has_told_at=False,
)
SECTIONS = (POSITIONS, CASH, CASH_FLOWS, OPTION_EVENTS, CORPORATE_ACTIONS, CONTRACTS, FX_RATES, OTHER_ROWS)
OPENING_LOT_COLUMNS = (
    "venue",
    "account",
    "lot_id",
    "as_of",
    *INSTRUMENT_COLUMNS,
    "quantity",
    "multiplier",
    "currency",
    "cost_basis",
    "open_ts",
    "origin",
)


def position_of(row: Mapping[str, Any]) -> StatementPosition:
    """Rebuild an open position."""
    names = ("account", "report_date", *POSITIONS.columns)
    return StatementPosition(**_picked(row, names), instrument=instrument_value(row["instrument"]))


def cash_of(row: Mapping[str, Any]) -> CashBalance:
    """Rebuild a cash report."""
    value = CashBalance(**_picked(row, ("account", "to_date", *CASH.columns)))
    return replace(value, lines=tuple(row["lines"].items()))


def cash_flow_of(row: Mapping[str, Any]) -> CashFlow:
    """Rebuild a cash transaction."""
    return CashFlow(**_picked(row, ("account", "report_date", *CASH_FLOWS.columns)))


def option_event_of(row: Mapping[str, Any]) -> OptionEvent:
    """Rebuild an option event."""
    names = ("account", "event_date", *OPTION_EVENTS.columns)
    return OptionEvent(**_picked(row, names), instrument=instrument_value(row["instrument"]))


def corporate_action_of(row: Mapping[str, Any]) -> CorporateAction:
    """Rebuild a corporate action."""
    names = ("account", "report_date", *CORPORATE_ACTIONS.columns)
    return CorporateAction(**_picked(row, names), instrument=instrument_value(row["instrument"]))


def fx_rate_of(row: Mapping[str, Any]) -> FxRate:
    """Rebuild a conversion rate."""
    return FxRate(**_picked(row, ("report_date", "from_currency", "to_currency", "rate")))


def opening_lot_cells(lots: Sequence[OpeningLot]) -> list[tuple[object, ...]]:
    """Return lots in the order of OPENING_LOT_COLUMNS; equal lots are told apart by their ordinal."""
    seen: Counter[str] = Counter()
    return [_lot_cells(lot, seen) for lot in lots]


def opening_lot_of(row: Mapping[str, Any]) -> OpeningLot:
    """Rebuild an opening lot."""
    names = ("account", "as_of", "conid", *OPENING_LOT_COLUMNS[-6:])
    instrument = instrument_value(row["instrument"])
    return OpeningLot(**_picked(row, names), venue=Venue(row["venue"]), instrument=instrument)


def _lot_cells(lot: OpeningLot, seen: "Counter[str]") -> tuple[object, ...]:
    digest = sha1(repr(replace(lot, origin="")).encode(), usedforsecurity=False).hexdigest()
    seen[digest] += 1
    shown = instrument_cells(lot.instrument, lot.conid)
    ending = (
        lot.quantity,
        lot.multiplier,
        lot.currency,
        lot.cost_basis,
        lot.open_ts,
        stored_text(lot.origin),
    )
    return (str(lot.venue), lot.account, f"{digest}#{seen[digest]}", lot.as_of, *shown, *ending)


def _picked(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    values = {name: row[name] for name in names}
    if "level" in values:
        values["level"] = DetailLevel(values["level"])
    return values


def _cell(value: object) -> object:
    if isinstance(value, str):
        return stored_text(str(value))
    if isinstance(value, tuple):
        return dict(value)
    return value
