"""Contracts as the broker names them, brought to the instruments of the house.

Both spellings end here: a statement's attributes (`flex_instrument`) and a message's contract fields
(`api_instrument`). One contract is one instrument, whoever names it; where it was executed is no part of it.

An option says what it is twice, in its attributes and in its OCC symbol. What the attributes leave out the
symbol gives. Where the two contradict each other, a statement's attributes count (the symbol is a label, and
`contradiction` words the warning), while a message, which nothing checks until the evening, is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from adapters.ibkr.flex_rows import FlexRow
from adapters.ibkr.flex_times import read_day
from trading.errors import InvalidFieldError
from trading.model.contract_fields import parse_conid, parse_contract_size
from trading.model.instruments import CurrencyPair, Equity, Future, Instrument, Option
from trading.model.options import OCC_PATTERN

CACHED_CONTRACTS = 8_192
SHARE_LIKE = frozenset({"STK", "FUND", "WAR", "ETF"})  # money is quantity times price
OPTION_LIKE = frozenset({"OPT", "FOP", "FSFOP", "FSOPT", "IOPT"})
FUTURE_LIKE = frozenset({"FUT"})
CATEGORIES = SHARE_LIKE | OPTION_LIKE | FUTURE_LIKE | {"CASH"}
PAIR = re.compile(r"([A-Z]{3})\.([A-Z]{3})", re.ASCII)
FUTURE_CODE = re.compile(r"([A-Z0-9]{1,4}?)[FGHJKMNQUVXZ]\d{1,2}", re.ASCII)  # class, month letter, year
EXPIRY_TIME = re.compile(r"[ -].*", re.DOTALL)  # behind the date of `20260821 16:00:00 US/Eastern`
DEFAULT_MULTIPLIERS = {"OPT": "100"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFields:
    """What a row or message says about its contract, as text; equal texts are read once."""

    category: str
    symbol: str
    underlying: str
    conid: str
    multiplier: str
    strike: str
    expiry: str
    right: str
    currency: str
    exchange: str
    trading_class: str = ""
    symbol_is_label: bool = False


def flex_instrument(row: FlexRow) -> Instrument:
    """The instrument of a statement's row; a category we do not carry is refused by name."""
    return _instrument(
        ContractFields(
            category=row.text("assetCategory"),
            symbol=row.text("symbol"),
            underlying=row.text("underlyingSymbol"),
            conid=row.text("conid"),
            multiplier=row.text("multiplier"),
            strike=row.text("strike"),
            expiry=row.text("expiry"),
            right=row.text("putCall"),
            currency=row.text("currency"),
            exchange=row.text("listingExchange"),
            symbol_is_label=True,
        )
    )


def api_instrument(message: Mapping[str, str]) -> Instrument:
    """The instrument of a message's contract fields, under the names of `executions`."""
    symbol, currency = message["symbol"], message["currency"]
    is_conversion = message["secType"] == "CASH"
    return _instrument(
        ContractFields(
            category=message["secType"],
            symbol=f"{symbol}.{currency}" if is_conversion else message["localSymbol"] or symbol,
            underlying=symbol,
            conid=message["conId"],
            multiplier=message["multiplier"],
            strike=message["strike"],
            expiry=EXPIRY_TIME.sub("", message["expiry"]),
            right=message["right"],
            currency=currency,
            exchange=message["exchange"],
            trading_class=message["tradingClass"],
        )
    )


def contradiction(row: FlexRow, instrument: Instrument) -> str:
    """A sentence where a row's OCC symbol names another series than its attributes, else an empty text."""
    if not isinstance(instrument, Option):
        return ""
    symbol = row.text("symbol").upper()
    if not OCC_PATTERN.fullmatch(symbol) or symbol.replace(" ", "") == instrument.occ.replace(" ", ""):
        return ""
    return f"symbol {symbol!r} is not that of its attributes, which count: {instrument.occ!r}"


@lru_cache(maxsize=CACHED_CONTRACTS)
def _instrument(told: ContractFields) -> Instrument:
    if told.category in OPTION_LIKE:
        return _option(told)
    if told.category in SHARE_LIKE:
        return Equity(symbol=told.symbol, conid=parse_conid(told.conid), currency=told.currency)
    if told.category in FUTURE_LIKE:
        return _future(told)
    if told.category == "CASH":
        return _pair(told)
    raise InvalidFieldError("assetCategory", f"one of {', '.join(sorted(CATEGORIES))}", told.category)


def _option(told: ContractFields) -> Option:
    named = Option.from_occ(told.symbol) if OCC_PATTERN.fullmatch(told.symbol.upper()) else None
    day = read_day("expiry", told.expiry) if told.expiry or named is None else named.expiry
    fields = {
        "symbol": told.underlying or (named.symbol if named else told.symbol.split(" ")[0]),
        "lastTradeDateOrContractMonth": f"{day:%Y%m%d}",
        "right": told.right or (named.right if named else ""),
        "strike": told.strike or (named.strike if named else ""),
        "multiplier": told.multiplier or DEFAULT_MULTIPLIERS.get(told.category, ""),
        "currency": told.currency,
        "tradingClass": told.trading_class or (named.trading_class if named else _class_of(told.symbol)),
        "conId": told.conid,
    }
    option = Option.from_ibkr(fields)
    try:
        option = Option.from_ibkr(fields | {"localSymbol": told.symbol})
    except InvalidFieldError:
        if not told.symbol_is_label:
            raise
    if not option.instrument_id:  # asking prints the OCC symbol, which refuses a root that OCC does not have
        raise InvalidFieldError("symbol", "a symbol with an OCC form", told.symbol)
    return option


def _class_of(symbol: str) -> str:
    """Options on futures are named ``EW2Q4 C5400``: the class is what stands before month and year."""
    match = FUTURE_CODE.fullmatch(symbol.split(" ")[0]) if " " in symbol else None
    return match.group(1) if match else ""


def _future(told: ContractFields) -> Future:
    return Future(
        symbol=told.underlying or told.symbol,
        expiry=read_day("expiry", told.expiry),
        multiplier=parse_contract_size(told.multiplier),
        exchange=told.exchange or "SMART",
        local_symbol=told.symbol,
        currency=told.currency,
        conid=parse_conid(told.conid),
    )


def _pair(told: ContractFields) -> CurrencyPair:
    match = PAIR.fullmatch(told.symbol.upper())
    if match is None:
        raise InvalidFieldError("symbol", "a currency pair as EUR.USD", told.symbol)
    base, quote = match.groups()
    if quote != told.currency.upper():
        raise InvalidFieldError("currency", f"{quote}, the pair's second currency", told.currency)
    return CurrencyPair(base=base, quote=quote)


def contract_size(instrument: Instrument, multiplier: str) -> Decimal:
    """The row's own multiplier, else the instrument's."""
    return _size(multiplier) if multiplier not in ("", "0") else instrument.contract_size


@lru_cache(maxsize=CACHED_CONTRACTS)
def _size(multiplier: str) -> Decimal:
    return parse_contract_size(multiplier)
