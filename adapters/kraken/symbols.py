"""Kraken's symbols: the prefix says perpetual or dated, and in what it pays.

``PI_XBTUSD`` perpetual inverse (quoted in USD, pays in BTC), ``PF_ETHUSD`` perpetual linear
(multi-collateral), ``FI_XBTUSD_200925`` dated inverse, ``FF_XBTUSD_260327`` dated linear,
``PV_``/``FV_`` the older linear ones quoted in XBT. One contract is one unit: of the quote currency when
inverse, of the coin otherwise.
"""

import re
from decimal import Decimal
from functools import lru_cache

from trading.errors import InvalidFieldError
from trading.model.instruments import Future, Perpetual
from trading.model.times import parse_date

CONTRACTS_CACHED_MAX = 4_096
EXCHANGE = "KRAKEN"
QUOTES = "USDT|USDC|USD|EUR|GBP|XBT"
SYMBOL = re.compile(
    rf"(?P<life>[PF])(?P<pays>[IFV])_(?P<base>[A-Z0-9]+?)(?P<quote>{QUOTES})(?:_(?P<day>\d{{6}}))?", re.ASCII
)
CURRENCIES = {"XBT": "BTC", "XDG": "DOGE"}  # Kraken's own codes to the field's
CONTRACT_SIZE = Decimal(1)


@lru_cache(maxsize=CONTRACTS_CACHED_MAX)
def instrument_of(symbol: str) -> Perpetual | Future:
    """Read a symbol in any case; raises InvalidFieldError for what is no futures contract of Kraken's."""
    match = SYMBOL.fullmatch(symbol.strip().upper())
    if match is None or (match["life"] == "F") != (match["day"] is not None):
        raise InvalidFieldError("symbol", "a Kraken futures symbol as PF_XBTUSD or FI_XBTUSD_260327", symbol)
    base, quote = (CURRENCIES.get(match[part], match[part]) for part in ("base", "quote"))
    inverse = match["pays"] == "I"
    pays_in = base if inverse else quote
    if match["day"] is None:
        return Perpetual(
            venue="kraken",
            symbol=match[0],
            inverse=inverse,
            settlement_currency=pays_in,
            multiplier=CONTRACT_SIZE,
            currency=quote,
            underlying=base,
        )
    return Future(
        symbol=base,
        expiry=parse_date("symbol", f"20{match['day']}"),
        multiplier=CONTRACT_SIZE,
        exchange=EXCHANGE,
        local_symbol=match[0],
        currency=quote,
        inverse=inverse,
        settlement=pays_in,
    )
