"""Instruments: what can be held, and of these what can be ordered.

One immutable type per kind, each with one canonical `instrument_id`, so that every source (broker, statement,
vendor, recorded file) names a contract the same way. Only `Orderable` kinds reach the order path: a function
that places orders takes `Orderable`, and an equity or a currency pair is a type error there.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import ClassVar

from trading.errors import InvalidFieldError
from trading.model.contract_fields import (
    checked_expiry,
    parse_conid,
    parse_contract_size,
    parse_symbol,
    set_field,
)
from trading.model.money import EXACT, MONEY_PLACES
from trading.model.options import Option, Right

__all__ = [
    "CurrencyPair",
    "Equity",
    "Event",
    "Future",
    "Instrument",
    "Option",
    "Orderable",
    "Perpetual",
    "Right",
    "gross_pnl",
    "instrument_key",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Future:
    """One dated future; `inverse` ones (Kraken's ``FI_``) are quoted in `currency`, pay in `settlement`."""

    symbol: str
    expiry: date
    multiplier: Decimal
    exchange: str
    local_symbol: str
    currency: str = "USD"
    conid: int | None = field(default=None, compare=False)
    inverse: bool = False
    settlement: str = ""

    orderable: ClassVar[bool] = True
    asset_class: ClassVar[str] = "future"

    def __post_init__(self) -> None:
        """Bring every field to its one form, or refuse it by name."""
        for name in ("symbol", "exchange", "local_symbol", "currency"):
            set_field(self, name, parse_symbol(name, getattr(self, name)))
        set_field(self, "expiry", checked_expiry("expiry", self.expiry))
        set_field(self, "multiplier", parse_contract_size(self.multiplier))
        set_field(self, "settlement", parse_symbol("settlement", self.settlement or self.currency))
        set_field(self, "conid", parse_conid(self.conid))

    @property
    def instrument_id(self) -> str:
        """``FUT:``, the exchange and the exchange's name of the contract."""
        return f"FUT:{self.exchange}:{self.local_symbol}"

    @property
    def underlying(self) -> str:
        """Symbol of what the future is on."""
        return self.symbol

    @property
    def contract_size(self) -> Decimal:
        """Units of the underlying per contract; of the quote currency for an inverse one."""
        return self.multiplier

    @property
    def settlement_currency(self) -> str:
        """Currency in which P&L and fees arise."""
        return self.settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class Perpetual:
    """One perpetual future, linear (P&L in the quote currency) or inverse (P&L in the coin)."""

    venue: str
    symbol: str
    inverse: bool
    settlement_currency: str
    multiplier: Decimal = Decimal(1)
    currency: str = "USD"
    underlying: str = ""

    orderable: ClassVar[bool] = True
    asset_class: ClassVar[str] = "perpetual"

    def __post_init__(self) -> None:
        """Bring every field to its one form, or refuse it by name."""
        set_field(self, "venue", parse_symbol("venue", self.venue).lower())
        for name in ("symbol", "settlement_currency", "currency"):
            set_field(self, name, parse_symbol(name, getattr(self, name)))
        set_field(self, "underlying", parse_symbol("underlying", self.underlying or self.symbol))
        set_field(self, "multiplier", parse_contract_size(self.multiplier))

    @property
    def instrument_id(self) -> str:
        """``PERP:``, the venue and the venue's symbol."""
        return f"PERP:{self.venue}:{self.symbol}"

    @property
    def contract_size(self) -> Decimal:
        """Units of the underlying per contract; of the quote currency for an inverse one."""
        return self.multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One yes-or-no market: YES and NO are two sides of it, held and priced as YES, paying 1 or 0."""

    venue: str
    ticker: str
    currency: str = "USD"

    orderable: ClassVar[bool] = True
    asset_class: ClassVar[str] = "event"

    def __post_init__(self) -> None:
        """Bring every field to its one form, or refuse it by name."""
        set_field(self, "venue", parse_symbol("venue", self.venue).lower())
        set_field(self, "ticker", parse_symbol("ticker", self.ticker))
        set_field(self, "currency", parse_symbol("currency", self.currency))

    @property
    def symbol(self) -> str:
        """The venue's ticker."""
        return self.ticker

    @property
    def instrument_id(self) -> str:
        """``EVT:``, the venue and the ticker."""
        return f"EVT:{self.venue}:{self.ticker}"

    @property
    def underlying(self) -> str:
        """The series: the ticker's first part."""
        return self.ticker.partition("-")[0]

    @property
    def contract_size(self) -> Decimal:
        """One contract pays one unit of currency."""
        return Decimal(1)

    @property
    def settlement_currency(self) -> str:
        """Currency in which P&L and fees arise."""
        return self.currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Equity:
    """A share; it comes with exercises and assignments and is never ordered here."""

    symbol: str
    conid: int | None = field(default=None)
    exchange: str = "SMART"
    currency: str = "USD"

    orderable: ClassVar[bool] = False
    asset_class: ClassVar[str] = "equity"

    def __post_init__(self) -> None:
        """Bring every field to its one form, or refuse it by name."""
        set_field(self, "symbol", parse_symbol("symbol", self.symbol))
        set_field(self, "conid", parse_conid(self.conid))
        set_field(self, "exchange", parse_symbol("exchange", self.exchange or "SMART"))
        set_field(self, "currency", parse_symbol("currency", self.currency or "USD"))

    @property
    def instrument_id(self) -> str:
        """``STK:`` and the conId, else the symbol."""
        return f"STK:{self.conid or self.symbol}"

    @property
    def underlying(self) -> str:
        """The share itself."""
        return self.symbol

    @property
    def contract_size(self) -> Decimal:
        """One share."""
        return Decimal(1)

    @property
    def settlement_currency(self) -> str:
        """Currency in which P&L and fees arise."""
        return self.currency


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyPair:
    """A spot conversion; it comes with statements and is never ordered here."""

    base: str
    quote: str

    orderable: ClassVar[bool] = False
    asset_class: ClassVar[str] = "currency"

    def __post_init__(self) -> None:
        """Bring every field to its one form, or refuse it by name."""
        set_field(self, "base", parse_symbol("base", self.base))
        set_field(self, "quote", parse_symbol("quote", self.quote))

    @property
    def symbol(self) -> str:
        """Base and quote, as in EURUSD."""
        return f"{self.base}{self.quote}"

    @property
    def currency(self) -> str:
        """The quote currency."""
        return self.quote

    @property
    def instrument_id(self) -> str:
        """``FX:`` and the pair."""
        return f"FX:{self.symbol}"

    @property
    def underlying(self) -> str:
        """The base currency."""
        return self.base

    @property
    def contract_size(self) -> Decimal:
        """One unit of the base currency."""
        return Decimal(1)

    @property
    def settlement_currency(self) -> str:
        """Currency in which P&L and fees arise."""
        return self.quote


Instrument = Option | Future | Perpetual | Event | Equity | CurrencyPair
Orderable = Option | Future | Perpetual | Event


def instrument_key(instrument: Instrument) -> str:
    """What keys and tables call the instrument: the conId where the venue has one, else the instrument id."""
    conid = getattr(instrument, "conid", None)
    return str(conid) if conid is not None else instrument.instrument_id


def gross_pnl(
    instrument: Instrument,
    open_price: Decimal,
    close_price: Decimal,
    quantity: Decimal,
    *,
    contract_size: Decimal | None = None,
) -> Decimal:
    """P&L before fees of a quantity (positive was long, negative short) opened and closed at these prices.

    In `settlement_currency`. Linear: quantity x size x (close - open). Inverse: quantity x size x (1/open -
    1/close), in the coin. Computed exactly and rounded once, half to even, to nine places, the places of
    money. `contract_size` overrides the instrument's where the venue or a corporate action says otherwise.
    """
    size = instrument.contract_size if contract_size is None else contract_size
    with localcontext(EXACT):
        gross = quantity * size * (close_price - open_price)
        if getattr(instrument, "inverse", False):
            if open_price <= 0 or close_price <= 0:
                raise InvalidFieldError(
                    "price",
                    "a positive price of an inverse contract",
                    (open_price, close_price),
                )
            gross /= open_price * close_price
        return gross.quantize(Decimal(1).scaleb(-MONEY_PLACES), rounding=ROUND_HALF_EVEN)
