"""The reader's side of the live market: all symbols in one round trip, three commands each."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.redis import keys
from adapters.redis.connection import ANSWER_TIMEOUT_S, asked, open_client
from adapters.redis.market_values import chain_of, row_of, rows_of
from trading.errors import InvalidFieldError, LiveStateUnavailableError
from trading.model.market import (
    Bar,
    DepthSnapshot,
    InstrumentState,
    Quote,
    SentimentReading,
    TechnicalReading,
    Trade,
    VolatilityReading,
)
from trading.ports.market_state import (
    BARS_KEPT,
    INDICATORS,
    SYMBOLS_PER_READ_MAX,
    TRADES_KEPT,
    MarketState,
    SymbolMarket,
)

NONE = 2 * (TRADES_KEPT + BARS_KEPT)  # a place that no list has: nothing is told
ONE_VALUE = (
    keys.MARKET_TICKER,
    keys.MARKET_BOOK,
    keys.MARKET_STATE,
    keys.SENTIMENT,
)
CHAIN_VALUES = (keys.OPTION_CHAIN, keys.OPTION_CALLS, keys.OPTION_PUTS)


class RedisMarketState(MarketState):
    """The port on a real Redis; may be shared between threads."""

    def __init__(self, url: str, *, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self._client: Any = open_client(url, timeout_s)

    def read(
        self,
        symbols: Sequence[str],
        *,
        chains: bool = True,
        trades_max: int = TRADES_KEPT,
        bars_max: int = BARS_KEPT,
    ) -> Mapping[str, SymbolMarket]:
        """Ask for the values, the prints and the bars of each symbol, each symbol's in its own slot."""
        if len(symbols) > SYMBOLS_PER_READ_MAX:
            raise InvalidFieldError("symbols", f"at most {SYMBOLS_PER_READ_MAX}", len(symbols))
        wanted = [(symbol, _value_keys(symbol, chains=chains)) for symbol in dict.fromkeys(symbols)]

        def ask() -> list[Any]:
            with self._client.pipeline(transaction=False) as pipe:
                for symbol, names in wanted:
                    pipe.mget(names)
                    pipe.lrange(keys.MARKET_TRADES.at(sym=symbol), 0, trades_max - 1 if trades_max else -NONE)
                    pipe.zrange(keys.MARKET_BARS.at(sym=symbol), -bars_max if bars_max else NONE, -1)
                return list(pipe.execute())

        told = asked(ask)
        try:
            return {
                symbol: _market(symbol, *told[3 * place : 3 * place + 3])
                for place, (symbol, _) in enumerate(wanted)
            }
        except InvalidFieldError as error:
            raise LiveStateUnavailableError(f"live market: {error}") from error

    def volatility(self) -> VolatilityReading | None:
        """Return the newest reading of the volatility index."""
        text = asked(lambda: self._client.get(keys.VOLATILITY_REGIME.at()))
        try:
            return row_of(VolatilityReading, text)
        except InvalidFieldError as error:
            raise LiveStateUnavailableError(f"live market: {error}") from error

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


def _value_keys(symbol: str, *, chains: bool) -> list[str]:
    names = [family.at(sym=symbol) for family in ONE_VALUE]
    names += [keys.TECHNICALS.at(sym=symbol, indicator=indicator) for indicator in INDICATORS]
    return names + ([family.at(sym=symbol) for family in CHAIN_VALUES] if chains else [])


def _market(
    symbol: str, values: Sequence[bytes | None], trades: Sequence[bytes], bars: Sequence[bytes]
) -> SymbolMarket:
    ticker, book, state, sentiment, *others = values
    readings = [row_of(TechnicalReading, text) for text in others[: len(INDICATORS)]]
    chain = others[len(INDICATORS) :]
    return SymbolMarket(
        symbol=symbol,
        ticker=row_of(Quote, ticker),
        book=row_of(DepthSnapshot, book),
        state=row_of(InstrumentState, state),
        trades=tuple(rows_of(Trade, trades[::-1])),
        bars=tuple(rows_of(Bar, bars)),
        chain=chain_of(*chain) if chain else None,
        sentiment=row_of(SentimentReading, sentiment),
        technicals={reading.indicator: reading for reading in readings if reading is not None},
    )
