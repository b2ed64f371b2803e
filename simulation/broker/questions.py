"""What clients ask the simulated broker about contracts and the market, and the values it answers with.

Plain values without wire or clock, beside model.py (orders, executions, positions). Prices and strikes are
Decimal, times aware UTC; `None` is "there is none".
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from simulation.sample_desk.contracts import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractQuery:
    """A contract as a client names it: by id, or by as much of the rest as it knows. Empty is "any".

    `sec_type` is the API's (STK, OPT, IND, CASH, BAG); `expiry` is yyyymmdd or yyyymm text.
    """

    conid: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""
    strike: Decimal | None = None
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    include_expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRecord:
    """The contract master's entry; hours as the API prints them (`yyyymmdd:HHMM-yyyymmdd:HHMM;...`)."""

    contract: Contract
    long_name: str
    min_tick: Decimal
    market_rule: int
    exchanges: tuple[str, ...]
    primary_exchange: str
    trading_hours: str = ""
    liquid_hours: str = ""
    last_trade_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainParameters:
    """Expiries and strikes of one trading class on one exchange."""

    exchange: str
    underlying_conid: int
    trading_class: str
    multiplier: int
    expiries: tuple[date, ...]
    strikes: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthRow:
    """One level of a book; `maker` is the exchange or market maker whose size it is."""

    price: Decimal
    size: int
    maker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Both sides of a book, best level first."""

    bids: tuple[DepthRow, ...]
    asks: tuple[DepthRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What happened from `at` on, for the length asked."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    average: Decimal
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The day of a contract so far: its open, high and low, and the close of the session before.

    None is "there is none (yet)"; it is to be asked again at `until`.
    """

    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """One trade on the tape."""

    at: datetime
    price: Decimal
    size: int
    exchange: str
    conditions: str = ""
    past_limit: bool = False
    unreported: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPnl:
    """Profit of an account; None is told as the unset number."""

    daily: Decimal | None
    unrealized: Decimal | None
    realized: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionPnl:
    """Profit of one position; None is told as the unset number."""

    quantity: Decimal
    daily: Decimal | None
    unrealized: Decimal | None
    realized: Decimal | None
    value: Decimal | None
