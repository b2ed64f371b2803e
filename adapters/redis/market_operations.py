"""What an update writes of the live market: keys, and what `publish_market.lua` does with each.

Keep out: blocks for the warehouse, tokens, fences, sending (`market_sink`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain as joined
from operator import attrgetter
from typing import Any

from adapters.redis import keys, market_values
from adapters.redis.key_family import KeyFamily
from adapters.redis.market_minutes import Scored
from trading.model.market import ChainSnapshot, DepthSnapshot, InstrumentState, Quote, SentimentReading
from trading.ports.market_state import BARS_KEPT, CHAIN_YIELDS_S, TRADES_KEPT, SymbolUpdate, chain_counts

FAMILIES: Mapping[type, KeyFamily] = {
    Quote: keys.MARKET_TICKER,
    DepthSnapshot: keys.MARKET_BOOK,
    InstrumentState: keys.MARKET_STATE,
    SentimentReading: keys.SENTIMENT,
}
CHAIN_OPERATIONS = 5  # head, calls, puts, their health, the event
Operation = tuple[str, Sequence[object]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def operations_of(update: SymbolUpdate) -> Iterator[Operation]:
    """What the script writes beside the blocks: a key ('' for none) and what to do with it."""
    sym = update.symbol
    for row in (update.ticker, update.book, update.state, update.sentiment):
        if row:
            yield from row_operations(sym, row)
    if update.trades:
        newest = sorted(update.trades, key=attrgetter("at"))[-TRADES_KEPT:]
        texts = market_values.row_texts(type(newest[0]), newest)
        family = keys.MARKET_TRADES
        head = ("L", life_ms(family), TRADES_KEPT, _field(family.pattern), len(texts))
        yield family.at(sym=sym), (*head, *texts)
    if update.bars:
        bars = update.bars[-BARS_KEPT:]
        texts = market_values.row_texts(type(bars[0]), bars)
        yield minutes_operation(
            sym, [(int(bar.at.timestamp()), text) for bar, text in zip(bars, texts, strict=True)]
        )
    if update.chain:
        yield from _chain(update.chain, sym)
    for reading in update.technicals:
        yield _unless_older(f"{keys.TECHNICALS.pattern} {reading.indicator}", reading.at, 1)
        yield _set(keys.TECHNICALS, sym, market_values.row_text(reading), indicator=reading.indicator)


def row_operations(
    sym: str, row: Quote | DepthSnapshot | InstrumentState | SentimentReading
) -> list[Operation]:
    """Write a value that is one row."""
    family = FAMILIES[type(row)]
    return [_unless_older(family.pattern, row.at, 1), _set(family, sym, market_values.row_text(row))]


def minutes_operation(sym: str, minutes: Sequence[Scored]) -> Operation:
    family = keys.MARKET_BARS
    head = ("Z", life_ms(family), BARS_KEPT, len(minutes))
    return family.at(sym=sym), (*head, *joined.from_iterable(minutes))


def minutes_of(operations: Sequence[Operation]) -> Sequence[Scored]:
    """The minutes that are written, with their texts."""
    told: Sequence[Any] = next(told for _, told in operations if told[0] == "Z")
    return list(zip(told[4::2], told[5::2], strict=True))


def _chain(chain: ChainSnapshot, sym: str) -> Iterator[Operation]:
    counts = chain_counts(chain)
    texts = market_values.chain_texts(chain, counts)
    lives_ms, yields_ms = life_ms(keys.OPTION_CHAIN), int(CHAIN_YIELDS_S * 1000)
    yield "", ("Y", chain.source, len(chain.contracts), lives_ms, yields_ms, CHAIN_OPERATIONS + 1)
    yield _unless_older(f"{keys.OPTION_CHAIN.pattern} {chain.source}", chain.at, CHAIN_OPERATIONS)
    yield _set(keys.OPTION_CHAIN, sym, texts.head)
    yield _set(keys.OPTION_CALLS, sym, texts.calls)
    yield _set(keys.OPTION_PUTS, sym, texts.puts)
    told = {"ts": chain.at.isoformat(), "source": chain.source, **counts}
    health = keys.MONITORING_OPTIONS
    pairs = [part for name, value in told.items() for part in (name, "" if value is None else str(value))]
    yield health.at(sym=sym), ("H", life_ms(health), len(told), *pairs)
    event = market_values.document_text("event", {"ts": chain.at, "symbol": chain.symbol, "counts": counts})
    yield "", ("P", keys.OPTION_CHAIN_EVENTS.at(), event)


def _unless_older(name: str, at: datetime, operations: int) -> Operation:
    """Leave the next operations out where this writer wrote a later time under that name."""
    return "", ("G", _field(name), (at - EPOCH) // MICROSECOND, operations)


def _field(name: str) -> str:
    return f"newest:{name}"


def _set(family: KeyFamily, sym: str, text: bytes, **parts: str) -> Operation:
    return family.at(sym=sym, **parts), ("S", life_ms(family), text)


def life_ms(family: KeyFamily) -> int:
    return (family.ttl_s or keys.DAY_S) * 1000
