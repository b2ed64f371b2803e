"""Contracts as the broker names them, brought to the instruments of the house.

Both spellings end here: a statement's attributes (`flex_instrument`) and a message's contract fields
(`api_instrument`). One contract is one instrument, whoever names it; where it was executed is no part of it.

An option says what it is twice, in its attributes and in its OCC symbol. What the attributes leave out the
symbol gives. Where the two contradict each other, a statement's attributes count (the symbol is a label, and
`contradiction` words the warning), while a message, which nothing checks until the evening, is refused.
"""

import re
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
DEFAULT_MULTIPLIERS = {"OPT": "100"}


def flex_instrument(row: FlexRow) -> Instrument:
    """The instrument of a statement's row; a category we do not carry is refused by name."""
    text = row.text
    return _instrument(
        text("assetCategory"),
        text("symbol"),
        text("underlyingSymbol"),
        text("conid"),
        text("multiplier"),
        text("strike"),
        text("expiry"),
        text("putCall"),
        text("currency"),
        text("listingExchange"),
        "",
        is_label=True,
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
def api_instrument(
    *,
    category: str,
    symbol: str,
    conid: str,
    multiplier: str,
    strike: str,
    expiry: str,
    right: str,
    currency: str,
    local_symbol: str,
    trading_class: str,
    exchange: str,
) -> Instrument:
    """The instrument of a message's contract fields."""
    named = f"{symbol}.{currency}" if category == "CASH" else local_symbol or symbol
    day = expiry.split(" ")[0].split("-")[0]
    return _instrument(
        category, named, symbol, conid, multiplier, strike, day, right, currency, exchange, trading_class
    )


@lru_cache(maxsize=CACHED_CONTRACTS)
def _instrument(
    category: str,
    symbol: str,
    underlying: str,
    conid: str,
    multiplier: str,
    strike: str,
    expiry: str,
    right: str,
    currency: str,
    listing: str,
    trading_class: str,
    *,
    is_label: bool = False,
) -> Instrument:
    if category in OPTION_LIKE:
        size = multiplier or DEFAULT_MULTIPLIERS.get(category, "")
        return _option(
            symbol, underlying, conid, size, strike, expiry, right, currency, trading_class, is_label
        )
    if category in SHARE_LIKE:
        return Equity(symbol=symbol, conid=parse_conid(conid), currency=currency)
    if category in FUTURE_LIKE:
        return _future(symbol, underlying, conid, multiplier, expiry, currency, listing)
    if category == "CASH":
        return _pair(symbol, currency)
    raise InvalidFieldError("assetCategory", f"one of {', '.join(sorted(CATEGORIES))}", category)


def _option(
    symbol: str,
    underlying: str,
    conid: str,
    multiplier: str,
    strike: str,
    expiry: str,
    right: str,
    currency: str,
    trading_class: str,
    is_label: bool,
) -> Option:
    named = Option.from_occ(symbol) if OCC_PATTERN.fullmatch(symbol.upper()) else None
    day = read_day("expiry", expiry) if expiry or named is None else named.expiry
    fields = {
        "symbol": underlying or (named.symbol if named else symbol.split(" ")[0]),
        "lastTradeDateOrContractMonth": f"{day:%Y%m%d}",
        "right": right or (named.right if named else ""),
        "strike": strike or (named.strike if named else ""),
        "multiplier": multiplier,
        "currency": currency,
        "tradingClass": trading_class or (named.trading_class if named else _class_of(symbol)),
        "conId": conid,
    }
    option = Option.from_ibkr(fields)
    try:
        option = Option.from_ibkr(fields | {"localSymbol": symbol})
    except InvalidFieldError:
        if not is_label:
            raise
    if not option.instrument_id:  # asking prints the OCC symbol, which refuses a root that OCC does not have
        raise InvalidFieldError("symbol", "a symbol with an OCC form", symbol)
    return option


def _class_of(symbol: str) -> str:
    """Options on futures are named ``EW2Q4 C5400``: the class is what stands before month and year."""
    match = FUTURE_CODE.fullmatch(symbol.split(" ")[0]) if " " in symbol else None
    return match.group(1) if match else ""


def _future(
    symbol: str, underlying: str, conid: str, multiplier: str, expiry: str, currency: str, listing: str
) -> Future:
    return Future(
        symbol=underlying or symbol,
        expiry=read_day("expiry", expiry),
        multiplier=parse_contract_size(multiplier),
        exchange=listing or "SMART",
        local_symbol=symbol,
        currency=currency,
        conid=parse_conid(conid),
    )


def _pair(symbol: str, currency: str) -> CurrencyPair:
    match = PAIR.fullmatch(symbol.upper())
    if match is None:
        raise InvalidFieldError("symbol", "a currency pair as EUR.USD", symbol)
    base, quote = match.groups()
    if quote != currency.upper():
        raise InvalidFieldError("currency", f"{quote}, the pair's second currency", currency)
    return CurrencyPair(base=base, quote=quote)


def contract_size(instrument: Instrument, multiplier: str) -> Decimal:
    """The row's own multiplier, else the instrument's."""
    return _size(multiplier) if multiplier not in ("", "0") else instrument.contract_size


@lru_cache(maxsize=CACHED_CONTRACTS)
def _size(multiplier: str) -> Decimal:
    return parse_contract_size(multiplier)
