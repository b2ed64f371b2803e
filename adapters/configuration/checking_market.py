"""Settings of market data that no process could run with, refused by name before one is started.

Belongs here: bounds of single settings of `market`, `ingest` and `stubs`, and symbols in the house's
spelling, however they were written (`trading/model/symbols`). Keep out: what fits into the lines of a login
(`adapters/ibkr/market/budget`), which is said and not refused.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import replace

from trading.errors import ConfigurationError, InvalidFieldError
from trading.market_settings import IngestSettings, MarketSettings, StubSettings, SymbolSettings
from trading.model.symbols import house_symbol

SYMBOLS_MAX = 500
TIME_MAX = 1_000_000  # of whatever unit: beyond a week nothing of a session is meant
PORT_MAX = 65_535
NUMBER_MAX = 2**31 - 1
INGEST: Mapping[str, tuple[int, int]] = {
    "client_id": (0, NUMBER_MAX),
    "market_data_lines": (1, 10_000),
    "depth_lines": (0, 1_000),
    "depth_rows": (1, 60),
    "tick_by_tick_lines": (0, 1_000),
}
MARKET: Mapping[str, tuple[int, int]] = {
    "chain_expiries_max": (1, 1_000),
    "chain_strikes_each_side": (0, 10_000),
}


def check_market(market: MarketSettings) -> None:
    """How much of chains, and of how many symbols."""
    for name, (least, most) in MARKET.items():
        _within("market", name, getattr(market, name), least, most)
    if not 1 <= len(market.symbols) <= SYMBOLS_MAX:
        raise ConfigurationError(f"market.symbols: expected 1 to {SYMBOLS_MAX}, was {len(market.symbols)}")


def in_house_spelling(market: MarketSettings, stubs: StubSettings) -> tuple[MarketSettings, StubSettings]:
    """Both with the house's symbols; one that stands there in two spellings is refused with both."""
    symbols: dict[str, SymbolSettings] = {}
    written: dict[str, str] = {}
    for text, told in market.symbols.items():
        symbol = _house_symbol("market.symbols", text)
        if symbol in symbols:
            raise ConfigurationError(
                f"market.symbols: expected {symbol} once, was {written[symbol]!r} and {text!r}"
            )
        symbols[symbol], written[symbol] = told, text
    of_chains = stubs.chains_of and _house_symbol("stubs.chains_of", stubs.chains_of)
    return replace(market, symbols=symbols), replace(stubs, chains_of=of_chains)


def _house_symbol(key: str, text: str) -> str:
    if text in ("True", "False"):  # what YAML makes of ON, NO and Y
        raise ConfigurationError(f"{key}: expected letters and digits (quote ON, NO and Y), was {text!r}")
    try:
        return house_symbol(key, text)
    except InvalidFieldError as error:
        raise ConfigurationError(str(error)) from error


def check_ingest(ingest: IngestSettings) -> None:
    """Lines as a login may have them, times above zero."""
    for field in dataclasses.fields(ingest):
        value = getattr(ingest, field.name)
        if isinstance(value, int) and not isinstance(value, bool):
            _within("ingest", field.name, value, *INGEST.get(field.name, (1, TIME_MAX)))


def check_stubs(stubs: StubSettings) -> None:
    """Ports, and limits (0: none)."""
    for name in ("alpha_vantage_port", "cboe_port", "yahoo_port"):
        _within("stubs", name, getattr(stubs, name), 1, PORT_MAX)
    for name in ("requests_per_minute", "requests_per_day"):
        _within("stubs", name, getattr(stubs, name), 0, NUMBER_MAX)


def check_number(key: str, value: int, least: int) -> None:
    """A count or a time: from `least` to what any clock of ours can add."""
    if value < least:
        raise ConfigurationError(f"{key}: expected {least} or more, was {value}")
    if value > NUMBER_MAX:
        raise ConfigurationError(f"{key}: expected {NUMBER_MAX} or less, was {value}")


def _within(section: str, name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ConfigurationError(f"{section}.{name}: expected {least} to {most}, was {value}")
