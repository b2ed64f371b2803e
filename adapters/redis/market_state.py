"""The reader's side of the live market: all symbols in one round trip, three commands each.

What can lose money here: a value that cannot be read and passes for nothing, or takes the other symbols
along. It is named in its symbol's answer, and goes to the dead letter as a refused row of that symbol, once
for each value; a dead letter that cannot be written now is tried again at the next reading.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from adapters.redis import keys
from adapters.redis.connection import asked, is_of_another_type, open_client
from adapters.redis.market_values import chain_of, row_of, rows_of
from trading.errors import InvalidFieldError, TransientError, UnreadableStateError
from trading.model.market import (
    Bar,
    DepthSnapshot,
    InstrumentState,
    MarketBlock,
    MarketKind,
    Quote,
    RefusedRow,
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
    MarketSink,
    MarketState,
    SymbolMarket,
    SymbolUpdate,
    UnreadableValue,
)
from trading.volatility.observation import INDEX

logger = logging.getLogger(__name__)

Row = TypeVar("Row")
Answer = TypeVar("Answer")

SOURCE = "live_state"  # who tells refused values
VALUE_CHARS_MAX = 2_000  # of one that is named; a chain has megabytes
LETTERS_KNOWN_MAX = 1_000  # values that were told to the dead letter; then all may be told again
NONE = 2 * (TRADES_KEPT + BARS_KEPT)  # a place that no list has: nothing is told
ONE_VALUE = (
    keys.MARKET_TICKER,
    keys.MARKET_BOOK,
    keys.MARKET_STATE,
    keys.SENTIMENT,
)
CHAIN_VALUES = (keys.OPTION_CHAIN, keys.OPTION_CALLS, keys.OPTION_PUTS)


class RedisMarketState(MarketState):
    """The port on a real Redis; may be shared between threads. `letters` takes what cannot be read."""

    def __init__(self, url: str, *, letters: MarketSink | None = None) -> None:
        self._client: Any = open_client(url)
        self._letters, self._writing = letters, threading.Lock()
        self._told: set[tuple[str, UnreadableValue]] = set()

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
                answers = list(pipe.execute(raise_on_error=False))
            _refuse_errors(answers)
            return answers

        told = asked(ask)
        markets = {
            symbol: _market(symbol, *told[3 * place : 3 * place + 3])
            for place, (symbol, _) in enumerate(wanted)
        }
        for market in markets.values():
            if market.unreadable:
                self._refuse(market.symbol, market.unreadable)
        return markets

    def volatility(self) -> VolatilityReading | None:
        """Return the newest reading of the volatility index."""
        text = asked(lambda: self._client.get(keys.VOLATILITY_REGIME.at()))
        reading = _Reading()
        found = reading.one("volatility", VolatilityReading, text)
        for one in reading.unreadable:
            self._refuse(INDEX, (one,))
            raise UnreadableStateError(f"{INDEX} {one.field}: expected {one.reason}, was {one.value!r}")
        return found

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _refuse(self, symbol: str, values: Sequence[UnreadableValue]) -> None:
        """Say what cannot be read, each value once; a dead letter that is away holds no answer up."""
        with self._writing:
            fresh = [value for value in values if (symbol, value) not in self._told]
            if not fresh:
                return
            for value in fresh:
                logger.error(
                    "live_value_unreadable symbol=%s field=%s value=%.200s", symbol, value.field, value.value
                )
            now = datetime.now(UTC)
            rows = tuple(_letter(symbol, value, now) for value in fresh)
            block = MarketBlock(
                kind=MarketKind.REFUSED, symbol=symbol, source=SOURCE, heard_at=now, rows=rows
            )
            try:
                if self._letters is not None:
                    self._letters.publish([SymbolUpdate(symbol=symbol, blocks=(block,))])
            except TransientError as error:
                logger.warning("live_value_letter_waits symbol=%s error=%s", symbol, error)
                return
            if len(self._told) >= LETTERS_KNOWN_MAX:
                self._told.clear()
            self._told.update((symbol, value) for value in fresh)


def _letter(symbol: str, value: UnreadableValue, at: datetime) -> RefusedRow:
    return RefusedRow(
        symbol=symbol,
        feed=SOURCE,
        at=at,
        field=value.field,
        reason=f"cannot be read: expected {value.reason}",
        payload=value.value,
    )


def _value_keys(symbol: str, *, chains: bool) -> list[str]:
    names = [family.at(sym=symbol) for family in ONE_VALUE]
    names += [keys.TECHNICALS.at(sym=symbol, indicator=indicator) for indicator in INDICATORS]
    return names + ([family.at(sym=symbol) for family in CHAIN_VALUES] if chains else [])


class _Reading:
    """The values of one symbol in the making: what cannot be read is named and takes nothing along."""

    def __init__(self) -> None:
        self.unreadable: list[UnreadableValue] = []

    def one(self, name: str, row_type: type[Row], text: bytes | None) -> Row | None:
        """A value that is one row."""
        return self.tried(name, text, lambda: row_of(row_type, text))

    def all(self, name: str, row_type: type[Row], texts: Sequence[bytes] | Exception) -> tuple[Row, ...]:
        """A list of rows, all at once; one by one only where some of them cannot be read."""
        if isinstance(texts, Exception):
            self.unreadable.append(UnreadableValue(field=name, value=str(texts), reason="a list of rows"))
            return ()
        try:
            return tuple(rows_of(row_type, texts))
        except InvalidFieldError:
            told = [self.one(name, row_type, text) for text in texts]
            return tuple(row for row in told if row is not None)

    def tried(self, name: str, text: bytes | None, read: Callable[[], Answer | None]) -> Answer | None:
        """What `read` returns; None and a name in `unreadable` where it cannot."""
        try:
            return read()
        except InvalidFieldError as error:
            value = (text or b"").decode("utf-8", "replace")[:VALUE_CHARS_MAX]
            self.unreadable.append(
                UnreadableValue(field=name, value=value, reason=f"{error.field}: {error.expected}")
            )
            return None


def _market(
    symbol: str,
    values: Sequence[bytes | None],
    trades: Sequence[bytes] | Exception,
    bars: Sequence[bytes] | Exception,
) -> SymbolMarket:
    ticker, book, state, sentiment, *others = values
    reading = _Reading()
    technicals = {
        indicator: told
        for indicator, text in zip(INDICATORS, others, strict=False)
        if (told := reading.one("technicals", TechnicalReading, text)) is not None
    }
    chain = others[len(INDICATORS) :]
    return SymbolMarket(
        symbol=symbol,
        ticker=reading.one("ticker", Quote, ticker),
        book=reading.one("book", DepthSnapshot, book),
        state=reading.one("state", InstrumentState, state),
        trades=reading.all("trades", Trade, trades if isinstance(trades, Exception) else trades[::-1]),
        bars=reading.all("bars", Bar, bars),
        chain=reading.tried("chain", chain[0], lambda: chain_of(*chain)) if chain else None,
        sentiment=reading.one("sentiment", SentimentReading, sentiment),
        technicals=technicals,
        unreadable=tuple(reading.unreadable),
    )


def _refuse_errors(answers: Sequence[Any]) -> None:
    """A key of another type is a value that cannot be read; every other error is of the whole answer."""
    for answer in answers:
        if isinstance(answer, Exception) and not is_of_another_type(answer):
            raise answer
