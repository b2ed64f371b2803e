"""What an update writes of the live market: keys, and what `publish_market.lua` does with each.

Keep out: blocks for the warehouse, tokens, fences, sending (`market_sink`).
"""

from collections.abc import Iterator, Sequence
from itertools import chain as joined
from typing import Any

from adapters.redis import keys, market_values
from adapters.redis.key_family import KeyFamily
from adapters.redis.market_minutes import Scored
from trading.model.market import ChainSnapshot
from trading.ports.market_state import BARS_KEPT, TRADES_KEPT, SymbolUpdate, chain_counts

Operation = tuple[str, Sequence[object]]


def operations_of(update: SymbolUpdate) -> Iterator[Operation]:
    """What the script writes beside the blocks: a key ('' for a channel) and what to do with it."""
    sym = update.symbol
    if update.ticker:
        yield _set(keys.MARKET_TICKER, sym, market_values.row_text(update.ticker))
    if update.book:
        yield _set(keys.MARKET_BOOK, sym, market_values.row_text(update.book))
    if update.state:
        yield _set(keys.MARKET_STATE, sym, market_values.row_text(update.state))
    if update.trades:
        newest = update.trades[-TRADES_KEPT:]
        texts = market_values.row_texts(type(newest[0]), newest)
        family = keys.MARKET_TRADES
        yield family.at(sym=sym), ("L", life_ms(family), TRADES_KEPT, len(texts), *texts)
    if update.bars:
        bars = update.bars[-BARS_KEPT:]
        texts = market_values.row_texts(type(bars[0]), bars)
        yield minutes_operation(
            sym, [(int(bar.at.timestamp()), text) for bar, text in zip(bars, texts, strict=True)]
        )
    if update.chain:
        yield from _chain(update.chain, sym)
    if update.sentiment:
        yield _set(keys.SENTIMENT, sym, market_values.row_text(update.sentiment))
    for reading in update.technicals:
        yield _set(keys.TECHNICALS, sym, market_values.row_text(reading), indicator=reading.indicator)


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
    yield _set(keys.OPTION_CHAIN, sym, texts.head)
    yield _set(keys.OPTION_CALLS, sym, texts.calls)
    yield _set(keys.OPTION_PUTS, sym, texts.puts)
    told = {"ts": chain.at.isoformat(), "source": chain.source, **counts}
    health = keys.MONITORING_OPTIONS
    pairs = [part for name, value in told.items() for part in (name, "" if value is None else str(value))]
    yield health.at(sym=sym), ("H", life_ms(health), len(told), *pairs)
    event = market_values.document_text("event", {"ts": chain.at, "symbol": chain.symbol, "counts": counts})
    yield "", ("P", keys.OPTION_CHAIN_EVENTS.at(), event)


def _set(family: KeyFamily, sym: str, text: bytes, **parts: str) -> Operation:
    return family.at(sym=sym, **parts), ("S", life_ms(family), text)


def life_ms(family: KeyFamily) -> int:
    return (family.ttl_s or keys.DAY_S) * 1000
