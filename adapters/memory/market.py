"""The live market in memory: the same order, bounds and answers as in Redis, and it can be flushed."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from trading.errors import InvalidFieldError, OutboxFullError
from trading.market.written_streams import WrittenStreams, loss_of
from trading.model.instruments import Right
from trading.model.market import Bar, ChainSnapshot, InstrumentState, MarketEntry, VolatilityReading
from trading.ports.market_outbox import (
    READ_BLOCKS_MAX,
    STREAM_ENTRIES_MAX,
    MarketBatch,
    MarketOutboxReader,
)
from trading.ports.market_state import (
    BARS_KEPT,
    CHAIN_YIELDS_S,
    MINUTES_TOLD_AGAIN,
    TRADES_KEPT,
    UPDATES_PER_CALL_MAX,
    MarketSink,
    MarketState,
    SymbolMarket,
    SymbolUpdate,
    check_update,
    is_newer,
)
from trading.ports.outbox import OutboxBacklog, UnreadableEntry

UPDATES_REMEMBERED = 64  # of one symbol and source: what is told again within so many is known
FIRST_ENTRY_MS = 1_760_000_000_000


@dataclass(slots=True)
class _Given:
    """Who was given an entry, and when."""

    consumer: str
    at: float


@dataclass(slots=True)
class MemoryMarket:
    """What both sides share; `stepped` is the time that idleness is measured by."""

    stepped: Callable[[], float] = time.monotonic
    symbols: dict[str, SymbolMarket] = field(default_factory=dict)
    chains_at: dict[str, float] = field(default_factory=dict)
    volatility: VolatilityReading | None = None
    entries: dict[tuple[str, str], MarketEntry | UnreadableEntry] = field(default_factory=dict)
    given: dict[tuple[str, str], _Given] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    done: list[SymbolUpdate] = field(default_factory=list)  # all that was written, in order
    remembered: dict[tuple[str, str], deque[SymbolUpdate]] = field(default_factory=dict)
    lengths: Counter[str] = field(default_factory=Counter)
    newest: dict[tuple[str, str], tuple[object, datetime]] = field(default_factory=dict)  # and whose it is
    epochs: int = 0  # begun so far
    epoch_of: dict[str, int] = field(default_factory=dict)  # by stream
    numbered: int = 0

    def flush(self) -> None:
        """Lose everything, as a flushed Redis does: the next block of a symbol begins a new epoch."""
        for lost in (self.symbols, self.entries, self.given, self.sequences, self.remembered, self.newest):
            lost.clear()
        self.lengths.clear()
        self.epoch_of.clear()
        self.done.clear()
        self.volatility = None

    def next_entry_id(self) -> str:
        """An id that sorts after all before."""
        self.numbered += 1
        return f"{FIRST_ENTRY_MS + self.numbered}-0"

    def append_unreadable(self, symbol: str, text: str) -> None:
        """Put an entry there that is no block, as a broken writer would."""
        stream, entry_id = _stream(symbol), self.next_entry_id()
        self.lengths[stream] += 1
        self.entries[stream, entry_id] = UnreadableEntry(
            stream=stream, entry_id=entry_id, epoch="", sequence=None, text=text, reason="no block"
        )


class MemoryMarketSink(MarketSink):
    """The writer's side in one process."""

    def __init__(self, market: MemoryMarket, entries_max: int = STREAM_ENTRIES_MAX) -> None:
        self._market, self._entries_max = market, entries_max
        self._streams = WrittenStreams()
        self._writer = object()  # whose order of times it is
        self._states: dict[str, InstrumentState] = {}
        self._volatility_at: datetime | None = None
        self._bars: dict[str, tuple[Bar, ...]] = {}
        self.alerts: list[str] = []

    def publish(self, updates: Sequence[SymbolUpdate]) -> None:
        """Write updates in order; what follows a refused one of its symbol waits too."""
        if len(updates) > UPDATES_PER_CALL_MAX:
            raise InvalidFieldError("updates", f"at most {UPDATES_PER_CALL_MAX}", len(updates))
        for update in updates:
            check_update(update)
            rows = [row for block in update.blocks for row in block.rows]
            for row in filter(None, (update.ticker, *update.trades, *update.bars, *rows)):
                _check_numbers(row)
        full: dict[str, str] = {}
        for update in updates:
            if update.symbol not in full:
                self._publish(update, full)
        self._tell_losses()
        if full:
            raise OutboxFullError("; ".join(full.values()))

    def _tell_losses(self) -> None:
        """What was lost with everything else is said, and states that nobody changes are there again."""
        lost = self._streams.lost()
        for symbol, last in lost.items():
            self._append(loss_of(symbol, last))
        self._streams.told(lost)
        if not lost:
            return
        self.alerts.append("market_outbox_lost")
        for symbol, state in self._states.items():
            known = self._market.symbols.get(symbol, SymbolMarket(symbol=symbol))
            self._market.symbols[symbol] = replace(known, state=state)
            self._is_newest(symbol, "state", state.at)
        for symbol, bars in self._bars.items():
            known = self._market.symbols.get(symbol, SymbolMarket(symbol=symbol))
            told = _by_minute((*known.bars, *bars))[-BARS_KEPT:]
            self._market.symbols[symbol] = replace(known, bars=told)

    def _publish(self, update: SymbolUpdate, full: dict[str, str]) -> None:
        market = self._market
        source = update.blocks[0].source if update.blocks else ""
        remembered = market.remembered.setdefault((update.symbol, source), deque(maxlen=UPDATES_REMEMBERED))
        is_repeat = update in remembered
        if is_repeat:
            self._note(update, is_repeat=True)
            return
        length = market.lengths[_stream(update.symbol)]
        if update.blocks and length + len(update.blocks) > self._entries_max:
            self.alerts.append("market_outbox_full")
            full[update.symbol] = f"{update.symbol}: expected at most {self._entries_max} unread blocks"
            return
        self._append(update)
        known = market.symbols.get(update.symbol, SymbolMarket(symbol=update.symbol))
        told = self._without_older(replace(update, chain=None) if self._yields(update) else update)
        if told.chain is not None:
            market.chains_at[update.symbol] = market.stepped()
        market.symbols[update.symbol] = _after(self._of_this_world(known, told), told)
        self._note(update, is_repeat=False)
        if update != SymbolUpdate(symbol=update.symbol, volatility=update.volatility):
            remembered.append(update)
        market.done.append(update)

    def _note(self, update: SymbolUpdate, *, is_repeat: bool) -> None:
        """Know what is to be told again after a loss; a repeat takes no newer one's place."""
        sym, state, reading = update.symbol, update.state, update.volatility
        if update.bars:
            known = self._bars.get(sym, ())
            told = (*update.bars, *known) if is_repeat else (*known, *update.bars)
            self._bars[sym] = _by_minute(told)[-MINUTES_TOLD_AGAIN:]
        if state is not None:
            before = self._states.get(sym)
            if is_newer(state.at, before.at if before else None, is_repeat=is_repeat):
                self._states[sym] = state
        if reading is not None and is_newer(reading.judged_at, self._volatility_at, is_repeat=is_repeat):
            self._market.volatility, self._volatility_at = reading, reading.judged_at

    def _without_older(self, update: SymbolUpdate) -> SymbolUpdate:
        """What stands and is newer stands; a value of another writer is replaced whatever its time."""
        sym, chain = update.symbol, update.chain
        rows = {name: getattr(update, name) for name in ("ticker", "book", "state", "sentiment")}
        kept: dict[str, Any] = {
            name: row if row is not None and self._is_newest(sym, name, row.at) else None
            for name, row in rows.items()
        }
        is_newest = chain is not None and self._is_newest(sym, f"chain {chain.source}", chain.at)
        technicals = (
            reading
            for reading in update.technicals
            if self._is_newest(sym, f"technicals {reading.indicator}", reading.at)
        )
        return replace(update, **kept, chain=chain if is_newest else None, technicals=tuple(technicals))

    def _is_newest(self, symbol: str, name: str, at: datetime) -> bool:
        writer, newest = self._market.newest.get((symbol, name), (None, at))
        if writer is self._writer and at < newest:
            return False
        self._market.newest[symbol, name] = (self._writer, at)
        return True

    def _of_this_world(self, known: SymbolMarket, update: SymbolUpdate) -> SymbolMarket:
        """Prints of another writer that lie in the future of the first of this one are of another world."""
        told = (update.symbol, "trades")
        if not update.trades or self._market.newest.get(told, (None, None))[0] is self._writer:
            return known
        oldest = min(trade.at for trade in update.trades)
        self._market.newest[told] = (self._writer, oldest)
        return replace(known, trades=tuple(trade for trade in known.trades if trade.at <= oldest))

    def _yields(self, update: SymbolUpdate) -> bool:
        """Whether another source's chain with more contracts was written a moment ago."""
        known = self._market.symbols.get(update.symbol)
        if update.chain is None or known is None or known.chain is None:
            return False
        age_s = self._market.stepped() - self._market.chains_at.get(update.symbol, float("-inf"))
        is_fuller = len(known.chain.contracts) > len(update.chain.contracts)
        return is_fuller and known.chain.source != update.chain.source and age_s <= CHAIN_YIELDS_S

    def _append(self, update: SymbolUpdate) -> None:
        market, stream = self._market, _stream(update.symbol)
        first = market.sequences.get(stream, 0) + 1
        for block in update.blocks:
            if stream not in market.sequences:
                market.epochs += 1
                market.epoch_of[stream] = market.epochs
            market.sequences[stream] = market.sequences.get(stream, 0) + 1
            market.lengths[stream] += 1
            entry_id = market.next_entry_id()
            market.entries[stream, entry_id] = MarketEntry(
                stream=stream,
                entry_id=entry_id,
                epoch=f"{market.epoch_of[stream]:013d}-memory",
                sequence=market.sequences[stream],
                block=block,
            )
        if update.blocks:
            self._streams.wrote(update.symbol, str(market.epoch_of[stream]), first, update.blocks)


class MemoryMarketState(MarketState):
    """The reader's side in one process."""

    def __init__(self, market: MemoryMarket) -> None:
        self._market = market

    def read(
        self,
        symbols: Sequence[str],
        *,
        chains: bool = True,
        trades_max: int = TRADES_KEPT,
        bars_max: int = BARS_KEPT,
    ) -> Mapping[str, SymbolMarket]:
        """Return what is known of each symbol."""
        known = {symbol: self._market.symbols.get(symbol, SymbolMarket(symbol=symbol)) for symbol in symbols}
        return {
            name: replace(
                one,
                chain=one.chain if chains else None,
                trades=one.trades[-trades_max:] if trades_max else (),
                bars=one.bars[-bars_max:] if bars_max else (),
            )
            for name, one in known.items()
        }

    def volatility(self) -> VolatilityReading | None:
        """Return the newest reading of the volatility index."""
        return self._market.volatility


class MemoryMarketOutboxReader(MarketOutboxReader):
    """One consumer in one process."""

    def __init__(self, market: MemoryMarket, consumer: str) -> None:
        self._market, self._consumer = market, consumer

    def read(self, blocks_max: int, wait_s: float) -> MarketBatch:
        """Return what this consumer holds, else what is new; never waits."""
        market, count = self._market, min(blocks_max, READ_BLOCKS_MAX)
        held = [name for name, given in market.given.items() if given.consumer == self._consumer]
        names = held[:count] or [name for name in market.entries if name not in market.given][:count]
        for name in names:
            market.given[name] = _Given(self._consumer, market.stepped())
        told = [market.entries[name] for name in sorted(names)]
        return MarketBatch(
            entries=tuple(entry for entry in told if isinstance(entry, MarketEntry)),
            unreadable=tuple(entry for entry in told if isinstance(entry, UnreadableEntry)),
            is_repeat=bool(held),
        )

    def claim(self, blocks_max: int, idle_s: float) -> int:
        """Take over what was given and left for `idle_s`."""
        now = self._market.stepped()
        left = [given for given in self._market.given.values() if now - given.at >= idle_s]
        for given in left[:blocks_max]:
            given.consumer, given.at = self._consumer, now
        return len(left[:blocks_max])

    def ack(self, entries: Sequence[MarketEntry | UnreadableEntry]) -> int:
        """Take entries away."""
        names = dict.fromkeys((entry.stream, entry.entry_id) for entry in entries)
        known = [name for name in names if name in self._market.entries]
        for name in known:
            del self._market.entries[name]
            self._market.lengths[name[0]] -= 1
            self._market.given.pop(name, None)
        return len(known)

    def backlog(self) -> OutboxBacklog:
        """Say how much waits."""
        oldest = min((entry_id for _, entry_id in self._market.entries), default=None)
        return OutboxBacklog(
            entries=len(self._market.entries),
            given=len(self._market.given),
            oldest_at=datetime.fromtimestamp(int(oldest.split("-")[0]) / 1000, UTC) if oldest else None,
        )


def _stream(symbol: str) -> str:
    return f"memory market {symbol}"


def _check_numbers(row: object) -> None:
    """A number that is none is refused, as it is where rows are printed."""
    for each in fields(row):  # type: ignore[arg-type]
        value = getattr(row, each.name)
        if isinstance(value, Decimal) and not value.is_finite():
            raise InvalidFieldError(each.name, "a finite decimal", value)


def _after(known: SymbolMarket, update: SymbolUpdate) -> SymbolMarket:
    """What is known once the update is written: a bar that is told again replaces the one before."""
    return SymbolMarket(
        symbol=known.symbol,
        ticker=update.ticker or known.ticker,
        book=update.book or known.book,
        state=update.state or known.state,
        trades=tuple(sorted(known.trades + update.trades, key=attrgetter("at"))[-TRADES_KEPT:]),
        bars=_by_minute((*known.bars, *update.bars))[-BARS_KEPT:],
        chain=_calls_first(update.chain) if update.chain else known.chain,
        sentiment=update.sentiment or known.sentiment,
        technicals={**known.technicals, **{reading.indicator: reading for reading in update.technicals}},
    )


def _by_minute(told: Sequence[Bar]) -> tuple[Bar, ...]:
    """In the order of time; a minute that is told again is as it was told last."""
    bars = {bar.at: bar for bar in told}
    return tuple(bars[at] for at in sorted(bars))


def _calls_first(chain: ChainSnapshot) -> ChainSnapshot:
    ordered = sorted(chain.contracts, key=lambda contract: contract.option.right is not Right.CALL)
    return replace(chain, contracts=tuple(ordered))
