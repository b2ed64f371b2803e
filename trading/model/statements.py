"""The broker's statement as values: what it says we traded, hold, have in cash, and how options ended.

Figures are the broker's, signs as in our house: fees positive when paid. Everything is kept to be
compared, never to
replace what we compute.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from trading.model.fills import FillBatch, Venue
from trading.model.instruments import Instrument


class StatementKind(StrEnum):
    """Activity is the book of record (once a day, overnight); confirmation is the same day's trades."""

    ACTIVITY = "activity"
    CONFIRMATION = "confirmation"


class DetailLevel(StrEnum):
    """LOT rows and their SUMMARY row say the same thing twice: never add both."""

    SUMMARY = "SUMMARY"
    LOT = "LOT"
    DETAIL = "DETAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPosition:
    """An open position at the statement's end; quantity signed; cost_basis is money, mark per unit."""

    account: str
    report_date: date
    instrument: Instrument
    conid: int | None
    level: DetailLevel
    quantity: Decimal
    multiplier: Decimal
    currency: str
    mark_price: Decimal | None
    cost_basis: Decimal | None
    open_ts: datetime | None = None
    originating_transaction_id: str = ""
    fx_rate_to_base: Decimal | None = None
    raw: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashBalance:
    """Cash report of one currency (`BASE_SUMMARY` for all in base); `lines` are the report's own items, as
    signed money.
    """

    account: str
    from_date: date
    to_date: date
    currency: str
    starting: Decimal
    ending: Decimal
    lines: tuple[tuple[str, Decimal], ...] = ()
    raw: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """A cash transaction that is no trade: dividend, interest, fee, deposit, tax (amount signed, + is
    received).
    """

    account: str
    report_date: date
    settle_date: date | None
    currency: str
    amount: Decimal
    kind: str
    level: DetailLevel
    description: str = ""
    transaction_id: str = ""
    conid: int | None = None
    fx_rate_to_base: Decimal | None = None
    raw: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionEvent:
    """A row of OptionEAE: expiration, exercise or assignment, and the delivery leg tied to it."""

    account: str
    event_date: date
    kind: str
    instrument: Instrument
    conid: int | None
    quantity: Decimal
    price: Decimal
    mark_price: Decimal | None
    realized: Decimal | None
    trade_id: str = ""
    action_id: str = ""
    raw: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateAction:
    """A row of CorporateActions: quantities and basis change in place or move to another conid; nothing
    realizes.
    """

    account: str
    report_date: date
    action_ts: datetime | None
    kind: str
    instrument: Instrument
    conid: int | None
    quantity: Decimal
    currency: str
    proceeds: Decimal
    description: str = ""
    action_id: str = ""
    transaction_id: str = ""
    raw: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementContract:
    """A contract as the statement's securities section describes it."""

    instrument: Instrument
    conid: int | None
    description: str = ""
    isin: str = ""
    listing_exchange: str = ""
    raw: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRate:
    """One unit of `from_currency` in `to_currency` on a day, as the statement converts."""

    report_date: date
    from_currency: str
    to_currency: str
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A row of a section that is not read into a value of its own, kept as it came."""

    section: str
    tag: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStatement:
    """One account's statement out of one file; `sha256` is of the file, `batch` its trade rows and refused
    rows.

    `sections` are those that the file has, empty ones too: a section that is not there says nothing, an
    empty one says
    "none". `unknown_fields` (``Trade.newName``) are kept in the raw rows.
    """

    venue: Venue
    account: str
    kind: StatementKind
    query_name: str
    from_date: date
    to_date: date
    generated_at: datetime | None
    base_currency: str | None
    sha256: str
    batch: FillBatch
    positions: tuple[StatementPosition, ...] = ()
    cash: tuple[CashBalance, ...] = ()
    cash_flows: tuple[CashFlow, ...] = ()
    option_events: tuple[OptionEvent, ...] = ()
    corporate_actions: tuple[CorporateAction, ...] = ()
    contracts: tuple[StatementContract, ...] = ()
    fx_rates: tuple[FxRate, ...] = ()
    other_rows: tuple[StatementRow, ...] = ()
    sections: tuple[str, ...] = ()
    unknown_fields: tuple[str, ...] = ()
