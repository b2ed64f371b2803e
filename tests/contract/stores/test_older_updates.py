"""An older update behind a newer one: what stands stands, what it tells of the past is kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from market_rows import volatility
from market_updates import NOON, contract
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
from trading.model.market import (
    ChainSnapshot,
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
from trading.ports.market_state import MarketSink, MarketState, SymbolMarket, SymbolUpdate

VALUES = ("ticker", "book", "state", "chain", "sentiment", "technicals")


@dataclass(frozen=True, slots=True)
class Sides:
    """Writers, a reader of the state, a reader of the blocks."""

    writer: Callable[[], MarketSink]
    state: MarketState
    blocks: MarketOutboxReader

    def known(self) -> SymbolMarket:
        """What a reader sees."""
        return self.state.read(["SPY"])["SPY"]


@pytest.fixture(params=["memory", "redis"])
def sides(request: pytest.FixtureRequest) -> Sides:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        market = MemoryMarket()
        reader = MemoryMarketOutboxReader(market, "a")
        return Sides(lambda: MemoryMarketSink(market), MemoryMarketState(market), reader)
    running: RunningRedis = request.getfixturevalue("redis_server")
    RedisMarketSink(running.url)._client.flushall()
    return Sides(
        lambda: RedisMarketSink(running.url),
        RedisMarketState(running.url),
        RedisMarketOutboxReader(running.url, consumer="a"),
    )


def told_at(second: float, source: str = "ibkr") -> SymbolUpdate:
    """Everything, dated by its second, which is its price, too."""
    at, price = NOON + timedelta(seconds=second), Decimal(str(100 + second))
    named = {"symbol": "SPY", "instrument_id": "STK:1"}
    quote = Quote(**named, at=at, bid=price, ask=price + 1)  # type: ignore[arg-type]
    return SymbolUpdate(
        symbol="SPY",
        ticker=quote,
        book=DepthSnapshot(**named, at=at, bids=(), asks=(), is_synthetic=True),  # type: ignore[arg-type]
        state=InstrumentState(**named, at=at, state=TradingState.HALTED, reason=str(price)),  # type: ignore[arg-type]
        trades=(Trade(**named, at=at, price=price, size=Decimal(1)),),  # type: ignore[arg-type]
        chain=ChainSnapshot(
            symbol="SPY", at=at, source=source, spot=price, contracts=(contract(1, second / 100),)
        ),
        sentiment=SentimentReading(
            symbol="SPY", at=at, window_s=60, articles=1, score=second / 100, label="neutral"
        ),
        technicals=(
            TechnicalReading(
                symbol="SPY", indicator="RSI", at=at, interval="1min", source="x", values={"RSI": second}
            ),
        ),
        volatility=volatility(at),
        blocks=(MarketBlock(kind=MarketKind.QUOTE, symbol="SPY", source=source, heard_at=at, rows=(quote,)),),
    )


def times(market: SymbolMarket) -> set[datetime]:
    """When the values that stand were told."""
    values = [getattr(market, name) for name in VALUES[:-1]] + list(market.technicals.values())
    return {value.at for value in values}


def kept(sides: Sides) -> list[Decimal | None]:
    """The bids of the blocks that are there."""
    return [row.bid for entry in sides.blocks.read(100, 0).entries for row in entry.block.rows]  # type: ignore[union-attr]


@pytest.mark.parametrize("together", [True, False])
def test_what_is_older_takes_no_newer_value_s_place(sides: Sides, *, together: bool) -> None:
    """Every value stands, in one call and in two; what the older one tells of the past is kept, once."""
    sink, updates = sides.writer(), [told_at(5), told_at(3), told_at(3)]
    for call in [updates] if together else [[each] for each in updates]:
        sink.publish(call)
    known, newest = sides.known(), NOON + timedelta(seconds=5)
    assert times(known) == {newest}
    assert known.chain is not None
    assert known.chain.spot == Decimal(105)
    regime = sides.state.volatility()
    assert regime is not None
    assert regime.at == newest
    assert kept(sides) == [105, 103]


def test_what_is_told_later_of_one_time_stands(sides: Sides) -> None:
    """Equal times are no reason to keep the first."""
    sink, first = sides.writer(), told_at(5)
    assert first.ticker is not None
    sink.publish([first])
    sink.publish([replace(first, ticker=replace(first.ticker, bid=Decimal(1)))])
    ticker = sides.known().ticker
    assert ticker is not None
    assert ticker.bid == 1


def test_late_prints_stand_in_the_order_of_their_times(sides: Sides) -> None:
    """The newest print is the last, whatever came last; those of one time stand as they came."""
    sink = sides.writer()
    for place, second in enumerate((1, 5, 3, 5.5, 0.5, 3), start=1):
        update = told_at(second)
        told = tuple(replace(trade, size=Decimal(place)) for trade in update.trades)
        sink.publish([replace(update, trades=told)])
    prints = sides.known().trades
    assert [float(trade.price - 100) for trade in prints] == [0.5, 1, 3, 3, 5, 5.5]
    assert prints[2].size < prints[3].size


def test_another_writer_s_word_stands_whatever_its_time(sides: Sides) -> None:
    """A session that is played anew begins in the morning: the evening before it is no newer."""
    sides.writer().publish([told_at(50)])
    after = sides.writer()
    after.publish([told_at(1)])
    assert times(sides.known()) == {NOON + timedelta(seconds=1)}
    assert [trade.price for trade in sides.known().trades] == [101]
    after.publish([told_at(2)])
    assert [trade.price for trade in sides.known().trades] == [101, 102]


def test_each_source_s_chain_has_its_own_order(sides: Sides) -> None:
    """A vendor's chain is dated behind the broker's, and stands in for it all the same."""
    sink = sides.writer()
    sink.publish([told_at(50)])
    sink.publish([told_at(10, "alpha_vantage")])
    chain = sides.known().chain
    assert chain is not None
    assert chain.source == "alpha_vantage"


def test_what_was_lost_with_everything_comes_back_as_it_stood(sides: Sides) -> None:
    """An older state that comes first behind a loss does not stay: the newest known one is told again."""
    sink = sides.writer()
    sink.publish([told_at(5)])
    market = getattr(sink, "_market", None)
    market.flush() if market is not None else sink._client.flushall()  # type: ignore[attr-defined]
    sink.publish([told_at(3)])
    sink.publish([told_at(4)])
    state = sides.known().state
    assert state is not None
    assert state.at == NOON + timedelta(seconds=5)
