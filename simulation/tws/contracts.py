"""Contracts as messages spell them, and the twelve fields by which a client names one.

A contract of the sample desk knows its broker symbol; the API splits it into symbol, type, expiry, strike,
right, multiplier, local symbol and trading class.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from simulation.broker.questions import ContractQuery, ContractRecord
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.executions import OPTION_EXCHANGES, SHARE_EXCHANGES
from simulation.tws.fields import Cursor, double, plain

COMBINATION_CLASS = "COMB"
ALIASES = {"NASDAQ": "ISLAND", **{name: name for name in ("NYSE", "ARCA", "BATS", "IEX", "AMEX", "CBOE")}}
EXCHANGES = frozenset({"SMART", "IDEALPRO", "NASDAQ", *ALIASES, *SHARE_EXCHANGES, *OPTION_EXCHANGES})


@dataclass(frozen=True, slots=True, kw_only=True)
class WireContract:
    """A contract's texts; strikes in the two spellings the gateway uses (`0` and `0.0`)."""

    conid: str
    symbol: str
    sec_type: str
    expiry: str
    strike: str
    strike_double: str
    right: str
    multiplier: str
    currency: str
    local_symbol: str
    trading_class: str


@lru_cache(maxsize=20_000)
def spelled(contract: Contract) -> WireContract:
    """How the API names a contract."""
    strike = contract.strike or Decimal(0)
    return WireContract(
        conid=str(contract.conid),
        symbol=symbol_of(contract),
        sec_type=sec_type_of(contract),
        expiry=f"{contract.expiry:%Y%m%d}" if contract.expiry else "",
        strike=plain(strike),
        strike_double=double(strike),
        right=contract.right,
        multiplier=str(contract.multiplier) if contract.asset in ("OPT", "FUT") else "",
        currency=contract.currency,
        local_symbol=contract.symbol,
        trading_class=_trading_class(contract),
    )


def sec_type_of(contract: Contract) -> str:
    """STK, OPT, IND, CASH or BAG."""
    if contract.asset == "STK" and contract.underlying is not None and contract.underlying.is_index:
        return "IND"
    return contract.asset


def symbol_of(contract: Contract) -> str:
    """The underlying's symbol for options, the first currency for a pair."""
    if contract.underlying is not None:
        return contract.underlying.symbol
    return contract.symbol.split(".")[0]


def trades_at(record: ContractRecord, exchange: str) -> bool:
    """Whether the contract is dealt in on an exchange; none named is any, and NASDAQ has two names."""
    named = ALIASES.get(exchange, exchange)
    return not named or named in record.exchanges or named == ALIASES.get(record.primary_exchange, "")


def listing_of(contract: Contract) -> str:
    """Where a share is listed; empty for all else."""
    is_share = contract.asset == "STK" and contract.underlying is not None
    return contract.underlying.listing if is_share and contract.underlying else ""


def _trading_class(contract: Contract) -> str:
    if contract.asset == "BAG":
        return COMBINATION_CLASS
    if contract.underlying is None:
        return contract.symbol
    if contract.asset == "OPT":
        return contract.underlying.option_root
    return "NMS" if contract.underlying.listing == "NASDAQ" else contract.underlying.symbol


def contract_query(cursor: Cursor) -> ContractQuery:
    """The twelve fields with which nearly every request names its contract."""
    return ContractQuery(
        conid=cursor.integer("conId"),
        symbol=cursor.text("symbol"),
        sec_type=cursor.text("secType"),
        expiry=cursor.text("lastTradeDateOrContractMonth"),
        strike=cursor.decimal("strike") or None,
        right=cursor.text("right"),
        multiplier=cursor.text("multiplier"),
        exchange=cursor.text("exchange"),
        primary_exchange=cursor.text("primaryExchange"),
        currency=cursor.text("currency"),
        local_symbol=cursor.text("localSymbol"),
        trading_class=cursor.text("tradingClass"),
    )
