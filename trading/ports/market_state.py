"""The live market: the newest rows of each symbol, written and outboxed in one step, and read in one.

A writer gives what changed of one symbol; the newest state and the blocks for the warehouse are written
together (one script), so a reader never sees a state that the warehouse will not hear of. Keep out: keys.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trading.errors import InvalidFieldError, UnreadableStateError, shown
from trading.model.market import (
    ROW_TYPES,
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
from trading.ports.live_state import Lease

TRADES_KEPT = 1_000  # newest prints of a symbol in the live state
BAR_SECONDS = 60
CHAIN_YIELDS_S = 60.0  # of this machine: six rounds of a vendor's chains
BARS_KEPT = 1_000  # two sessions of minutes
MINUTES_TOLD_AGAIN = 400  # of a symbol, where the live state lost everything: a session
UPDATES_PER_CALL_MAX = 2_000
SYMBOLS_PER_READ_MAX = 2_000
ROWS_PER_BLOCK_MAX = 5_000
CONTRACT_STALE_AFTER = timedelta(minutes=1)  # before its chain's own time
INDICATORS = ("RSI", "MACD", "BBANDS", "ATR")  # a reader asks for each by its name


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
class UnreadableValue:
    """A value of the live state that is none of ours: of which field of SymbolMarket, what, and why."""

    field: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolMarket:
    """What is known of one symbol now; trades oldest first, bars of a minute oldest first.

    A field that `unreadable` names has what could be read of it, which may be nothing: it is not known that
    there is nothing. Who concludes from a field asks for it by `checked`.
    """

    symbol: str
    ticker: Quote | None = None
    book: DepthSnapshot | None = None
    state: InstrumentState | None = None
    trades: tuple[Trade, ...] = ()
    bars: tuple[Bar, ...] = ()
    chain: ChainSnapshot | None = None
    sentiment: SentimentReading | None = None
    technicals: Mapping[str, TechnicalReading] = field(default_factory=dict)
    unreadable: tuple[UnreadableValue, ...] = ()

    def checked(self, *names: str) -> "SymbolMarket":
        """Return this, where all of these fields could be read; raises UnreadableStateError."""
        for one in self.unreadable:
            if one.field in names:
                raise UnreadableStateError(
                    f"{self.symbol} {one.field}: expected {one.reason}, was {shown(one.value)}"
                )
        return self


class MarketSink(ABC):
    """The writer's side; one writer for each (symbol, feed).

    A live value whose time lies before the one that this writer told takes no place of it, whatever came
    first, while its blocks are kept once like all others; of one time the later told stands. Prints stand in
    the order of their times; a minute has none but its beginning, so the later told stands. Another writer's
    word stands whatever its time: it was followed, or the world that is played began anew.

    Two sources may tell a symbol's chain, the broker a part of it and a vendor all. Readers see one at a
    time: the one with fewer contracts yields while the fuller one was written within CHAIN_YIELDS_S, and
    stands in for it afterwards. The blocks of both go to the warehouse.
    """

    @abstractmethod
    def publish(self, updates: Sequence[SymbolUpdate]) -> None:
        """Write updates in order, each whole or not at all.

        Raises OutboxFullError when the warehouse is too far behind (the live state of that update is not
        written either: what a reader sees, the warehouse will have), LiveStateUnavailableError when nothing
        is certain; publishing the same updates again is then right.
        """

    def take_over(self, lease: Lease, symbols: Sequence[str] = ()) -> None:  # noqa: B027 - most have one writer
        """Write under this lease from here on: whoever has an older number of its component is refused.

        `symbols` are those whose minutes this writer tells. Raises FencedOutError where a newer number was
        seen, here and in every `publish` from then on. A sink that one process has for itself does nothing.
        """


class MarketState(ABC):
    """The reader's side."""

    @abstractmethod
    def read(
        self,
        symbols: Sequence[str],
        *,
        chains: bool = True,
        trades_max: int = TRADES_KEPT,
        bars_max: int = BARS_KEPT,
    ) -> Mapping[str, SymbolMarket]:
        """Return what is known of each symbol, all in one round trip; raises LiveStateUnavailableError.

        A value that cannot be read takes nothing along: it is named in its symbol's `unreadable`.
        At most so many of the newest prints and minutes; 0 for who needs none of them.
        """

    @abstractmethod
    def volatility(self) -> VolatilityReading | None:
        """Return the newest reading of the volatility index; raises UnreadableStateError where it is none."""


def check_update(update: SymbolUpdate) -> None:
    """Refuse what no market says: empty or mixed blocks, bars of no minute, an indicator nobody reads."""
    for block in update.blocks:
        if not 0 < len(block.rows) <= ROWS_PER_BLOCK_MAX:
            raise InvalidFieldError("block", f"1 to {ROWS_PER_BLOCK_MAX} rows", len(block.rows))
        kinds = {type(row) for row in block.rows} - {ROW_TYPES[block.kind]}
        if kinds:
            raise InvalidFieldError("block", f"rows of the kind {block.kind}", kinds)
    for bar in update.bars:
        if bar.seconds != BAR_SECONDS:
            raise InvalidFieldError("seconds", f"{BAR_SECONDS}, a minute", bar.seconds)
    for reading in update.technicals:
        if reading.indicator not in INDICATORS:
            raise InvalidFieldError("indicator", f"one of {', '.join(INDICATORS)}", reading.indicator)


def is_newer(at: datetime, known: datetime | None, *, is_repeat: bool) -> bool:
    """Whether what is told takes the place of what stands; of one time the later told, and never a repeat."""
    return known is None or at > known or (at == known and not is_repeat)


def chain_counts(chain: ChainSnapshot) -> dict[str, int | str | None]:
    """What people and alerts look at: contracts that are there, are not, or are old, and what they lack."""
    contracts = chain.contracts
    dates = [contract.open_interest_date for contract in contracts if contract.open_interest_date]
    return {
        "contracts": len(contracts),
        "listed": chain.listed,
        "watched": chain.watched,
        "skipped": None if chain.listed is None else max(0, chain.listed - len(contracts)),
        "stale": sum(1 for contract in contracts if chain.at - contract.at > CONTRACT_STALE_AFTER),
        "missing_greeks": sum(1 for contract in contracts if contract.greeks is None),
        "missing_quote": sum(1 for contract in contracts if contract.bid is None and contract.ask is None),
        "missing_open_interest": sum(1 for contract in contracts if contract.open_interest is None),
        "open_interest_date": max(dates).isoformat() if dates else None,
    }
