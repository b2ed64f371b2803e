"""Memory and Redis answer alike to any run of updates, repeats, refusals, reads, acknowledgements."""

import random
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from market_rows import volatility
from real_redis import RunningRedis

from adapters.memory.market import (
    MemoryMarket,
    MemoryMarketOutboxReader,
    MemoryMarketSink,
    MemoryMarketState,
)
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.errors import OutboxFullError
from trading.model.instruments import Option, Right
from trading.model.market import (
    Bar,
    ChainContract,
    ChainSnapshot,
    DepthLevel,
    DepthSnapshot,
    InstrumentState,
    MarketBlock,
    MarketKind,
    Quote,
    SentimentReading,
    TechnicalReading,
    Trade,
    TradingState,
)
from trading.ports.market_outbox import MarketOutboxReader
from trading.ports.market_state import INDICATORS, SymbolMarket, SymbolUpdate

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SYMBOLS = ("SPY", "BRK B", "x'; drop")
BOUND, STEPS = 12, 120
SEEDS, SEEDS_TOGETHER = 16, 4


class Draw:
    """Rows and updates by chance; no two updates are equal unless one is told again."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.number = 0

    def update(self) -> SymbolUpdate:
        """Any parts, for any symbol."""
        self.number += 1
        chance, symbol = self.chance, self.chance.choice(SYMBOLS)
        at = NOON + timedelta(seconds=self.number - chance.choice((0, 0, 0, 1, 2, 30)))  # some come too late
        named: dict[str, Any] = {"symbol": symbol, "instrument_id": f"STK:{symbol}", "at": at}
        price = Decimal(self.number) / 100
        quote = Quote(**named, bid=chance.choice((None, price)), ask=price + 1)
        parts: dict[str, Any] = {
            "ticker": quote,
            "book": DepthSnapshot(**named, bids=(DepthLevel(price=price, size=price),), asks=()),
            "state": InstrumentState(**named, state=chance.choice(list(TradingState))),
            "trades": tuple(self._trade(named, price) for _ in range(chance.randint(1, 3))),
            "bars": (self._bar(named, price),),
            "chain": self._chain(symbol, at),
            "sentiment": SentimentReading(
                symbol=symbol, at=at, window_s=60, articles=1, score=0.5, label="neutral"
            ),
            "technicals": (
                TechnicalReading(
                    symbol=symbol,
                    indicator=chance.choice(INDICATORS),
                    at=at,
                    interval="1min",
                    source="x",
                    values={"value": chance.random()},
                ),
            ),
        }
        parts["volatility"] = volatility(at, price)
        told = {name: value for name, value in parts.items() if chance.random() < 0.4}
        blocks = tuple(
            MarketBlock(
                kind=MarketKind.QUOTE, symbol=symbol, source="ibkr", heard_at=at, rows=(quote,) * (place + 1)
            )
            for place in range(chance.randrange(4))
        )
        return SymbolUpdate(symbol=symbol, blocks=blocks, **told)

    def _trade(self, named: dict[str, Any], price: Decimal) -> Trade:
        at = named["at"] - timedelta(microseconds=self.chance.choice((0, 1, 500_000)))
        return Trade(**(named | {"at": at}), price=price, size=Decimal(self.chance.randint(1, 9)))

    def _bar(self, named: dict[str, Any], price: Decimal) -> Bar:
        minute = NOON + timedelta(minutes=self.chance.randrange(5))
        return Bar(
            **(named | {"at": minute}),
            seconds=60,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=None,
        )

    def _chain(self, symbol: str, at: datetime) -> ChainSnapshot:
        contracts = tuple(
            ChainContract(
                option=Option(
                    symbol="SPX", expiry=date(2026, 11, 20), right=right, strike=Decimal(strike), conid=strike
                ),
                at=at,
            )
            for strike in range(1, self.chance.randint(2, 4))
            for right in (Right.PUT, Right.CALL)
        )
        source = self.chance.choice(("ibkr", "alpha_vantage"))
        return ChainSnapshot(symbol=symbol, at=at, source=source, spot=None, contracts=contracts)


def outcome(sink: Any, updates: list[SymbolUpdate]) -> bool:
    """Whether a call was taken whole."""
    try:
        sink.publish(updates)
    except OutboxFullError:
        return False
    return True


def delivered(reader: MarketOutboxReader, most: int) -> tuple[bool, list[Any]]:
    """One read: whether it is a repeat, and each symbol's blocks in their order, with their numbers."""
    batch = reader.read(most, 0)
    entries = sorted(batch.entries, key=lambda entry: (entry.block.symbol, entry.sequence))
    return batch.is_repeat, [(entry.sequence, entry.block) for entry in entries]


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_TOGETHER))
def test_any_run_gives_the_same_answers_in_memory_and_in_redis(
    redis_server: RunningRedis, first: int
) -> None:
    """Steps of publishing, too late too, repeating, reading, acknowledging, following, losing everything."""
    assert sum(play(redis_server, seed) for seed in range(first, first + SEEDS_TOGETHER))


def play(redis_server: RunningRedis, seed: int) -> int:
    """One run; returns how many calls were refused."""
    draw = Draw(seed)
    market = MemoryMarket()

    def writers() -> tuple[Any, Any]:
        redis = RedisMarketSink(redis_server.url, entries_max=BOUND)
        return MemoryMarketSink(market, BOUND), redis

    sinks = writers()
    states = (MemoryMarketState(market), RedisMarketState(redis_server.url))
    readers = (
        MemoryMarketOutboxReader(market, "a"),
        RedisMarketOutboxReader(redis_server.url, consumer="a"),
    )
    sinks[1]._client.flushall()
    told: list[SymbolUpdate] = []
    refused = 0
    for _ in range(STEPS):
        step = draw.chance.random()
        if step < 0.6:
            told = told[-20:] + [draw.update() for _ in range(draw.chance.randint(1, 4))]
            updates = (
                told[-4:] if draw.chance.random() < 0.7 else draw.chance.sample(told, k=min(3, len(told)))
            )
            taken = [outcome(sink, list(updates)) for sink in sinks]
            assert taken[0] == taken[1]
            refused += not taken[0]
        elif step < 0.9:
            ours, theirs = (delivered(reader, 1_000) for reader in readers)
            assert ours == theirs
            if draw.chance.random() < 0.8:
                batches = [reader.read(1_000, 0) for reader in readers]
                counts = [reader.ack(batch.entries) for reader, batch in zip(readers, batches, strict=True)]
                assert counts[0] == counts[1]
        elif step < 0.92:
            market.flush()
            sinks[1]._client.flushall()
        elif step < 0.94:
            sinks = writers()
        known = [state.read(SYMBOLS) for state in states]
        for symbol in SYMBOLS:
            for each in fields(SymbolMarket):
                ours, theirs = (getattr(told[symbol], each.name) for told in known)
                assert ours == theirs, (seed, symbol, each.name)
        assert states[0].volatility() == states[1].volatility(), seed
        lengths = [replace(reader.backlog(), oldest_at=None) for reader in readers]
        assert lengths[0] == lengths[1]
    return refused
