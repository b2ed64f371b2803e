"""The live market: the newest rows of each symbol, written and outboxed in one step, and read in one.

A writer gives what changed of one symbol; the newest state and the blocks for the warehouse are written
together (one script), so a reader never sees a state that the warehouse will not hear of. Keep out: keys.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trading.model.market import (
    Bar,
    ChainSnapshot,
    DepthSnapshot,
    InstrumentState,
    MarketBlock,
    Quote,
    SentimentReading,
    TechnicalReading,
    Trade,
    VolatilityReading,
)

TRADES_KEPT = 1_000  # newest prints of a symbol in the live state
BARS_KEPT = 1_000  # two sessions of minutes
UPDATES_PER_CALL_MAX = 2_000
ROWS_PER_BLOCK_MAX = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolUpdate:
    """What changed of one symbol since the last update; None and empty are "no change".

    ticker, book, trades, bars are the underlying's own; `blocks` is all that the warehouse is to get,
    including the options' rows.
    """

    symbol: str
    ticker: Quote | None = None
    book: DepthSnapshot | None = None
    state: InstrumentState | None = None
    trades: tuple[Trade, ...] = ()
    bars: tuple[Bar, ...] = ()
    chain: ChainSnapshot | None = None
    sentiment: SentimentReading | None = None
    technicals: tuple[TechnicalReading, ...] = ()
    volatility: VolatilityReading | None = None
    blocks: tuple[MarketBlock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolMarket:
    """What is known of one symbol now; trades oldest first, bars of a minute oldest first."""

    symbol: str
    ticker: Quote | None = None
    book: DepthSnapshot | None = None
    state: InstrumentState | None = None
    trades: tuple[Trade, ...] = ()
    bars: tuple[Bar, ...] = ()
    chain: ChainSnapshot | None = None
    sentiment: SentimentReading | None = None
    technicals: Mapping[str, TechnicalReading] | None = None


class MarketSink(ABC):
    """The writer's side; one writer for each (symbol, feed)."""

    @abstractmethod
    def publish(self, updates: Sequence[SymbolUpdate]) -> None:
        """Write updates in order, each whole or not at all.

        Raises OutboxFullError when the warehouse is too far behind (the live state of that update is not
        written either: what a reader sees, the warehouse will have), LiveStateUnavailableError when nothing
        is certain; publishing the same updates again is then right.
        """


class MarketState(ABC):
    """The reader's side."""

    @abstractmethod
    def read(self, symbols: Sequence[str], *, chains: bool = True) -> Mapping[str, SymbolMarket]:
        """Return what is known of each symbol, all in one round trip; raises LiveStateUnavailableError."""

    @abstractmethod
    def volatility(self) -> VolatilityReading | None:
        """Return the newest reading of the volatility index."""
