"""What every live market promises: state and blocks together, once, bounded, and read back as told."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from real_redis import RunningRedis, let_the_clock_go_on

from adapters.memory.market import (
    MemoryMarket,
    MemoryMarketOutboxReader,
    MemoryMarketSink,
    MemoryMarketState,
)
from adapters.redis import keys
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.errors import InvalidFieldError, OutboxFullError
from trading.model.instruments import Option, Right
from trading.model.market import (
    Aggressor,
    Bar,
    ChainContract,
    ChainSnapshot,
    DepthLevel,
    DepthSnapshot,
    GreeksSource,
    InstrumentState,
    MarketBlock,
    MarketKind,
    MarketRow,
    NewsItem,
    OptionGreeks,
    Quote,
    RefusedRow,
    Regime,
    SentimentReading,
    SignedBy,
    TechnicalReading,
    TickerSentiment,
    Trade,
    TradingState,
    VolatilityReading,
    VolatilitySource,
)
from trading.ports.market_outbox import MarketOutboxReader
from trading.ports.market_state import (
    BARS_KEPT,
    TRADES_KEPT,
    MarketSink,
    MarketState,
    SymbolUpdate,
)

NOON = datetime(2026, 11, 13, 17, 0, 0, 123456, tzinfo=UTC)
BOUND = 50
SPY = "STK:SPY"


@dataclass(frozen=True, slots=True)
class Sides:
    """A writer, its reader, a way to get consumers, and a way to lose everything."""

    sink: MarketSink
    state: MarketState
    market: MemoryMarket | None
    url: str

    def reader(self, consumer: str = "a") -> MarketOutboxReader:
        """A consumer that starts under this name."""
        if self.market is not None:
            return MemoryMarketOutboxReader(self.market, consumer)
        return RedisMarketOutboxReader(self.url, consumer=consumer)

    def flush(self) -> None:
        """Lose everything; what follows is of a later millisecond."""
        if self.market is not None:
            self.market.flush()
        else:
            client(self.sink).flushall()
            let_the_clock_go_on(client(self.sink))

    def append_garbage(self, symbol: str) -> None:
        """Put an entry there that no writer of ours makes."""
        if self.market is not None:
            self.market.append_unreadable(symbol, "{")
        else:
            stream = keys.OUTBOX.at(topic="market", sym=symbol)
            client(self.sink).xadd(stream, {"block": "{", "sequence": "x"})

    def alerts(self) -> int:
        """How many alerts were written."""
        if isinstance(self.sink, MemoryMarketSink):
            return len(self.sink.alerts)
        return int(client(self.sink).xlen(keys.ALERTS_CRITICAL.at()))


def client(adapter: Any) -> Any:
    """The driver under the adapter."""
    return adapter._client


@pytest.fixture(params=["memory", "redis"])
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        market = MemoryMarket()
        yield Sides(MemoryMarketSink(market, BOUND), MemoryMarketState(market), market, "")
        return
    running: RunningRedis = request.getfixturevalue("redis_server")
    sink, state = RedisMarketSink(running.url, entries_max=BOUND), RedisMarketState(running.url)
    client(sink).flushall()
    yield Sides(sink, state, None, running.url)
    sink.close()
    state.close()


def later(seconds: float) -> datetime:
    """A moment of the day."""
    return NOON + timedelta(seconds=seconds)


def quote(bid: str = "500.01", at: datetime = NOON, symbol: str = "SPY") -> Quote:
    """A quote."""
    return Quote(
        symbol=symbol,
        instrument_id=f"STK:{symbol}",
        at=at,
        bid=Decimal(bid),
        ask=Decimal(bid) + Decimal("0.01"),
        bid_size=Decimal(3),
        ask_size=None,
        conid=756733,
    )


def trade(number: int) -> Trade:
    """A print that says its number by its price."""
    return Trade(
        symbol="SPY",
        instrument_id=SPY,
        at=later(number),
        price=Decimal(number) / 100,
        size=Decimal(100),
        exchange="ARCA",
        aggressor=Aggressor.BUY,
        signed_by=SignedBy.QUOTE,
        bid=Decimal("1.5"),
        ordinal=number % 2,
    )


def bar(minute: int, close: str = "500") -> Bar:
    """A minute."""
    return Bar(
        symbol="SPY",
        instrument_id=SPY,
        at=NOON.replace(second=0, microsecond=0) + timedelta(minutes=minute),
        seconds=60,
        open=Decimal(500),
        high=Decimal(501),
        low=Decimal(499),
        close=Decimal(close),
        volume=Decimal(1000),
        trades=7,
    )


def contract(strike: int, right: Right, delta: float | None = 0.5) -> ChainContract:
    """A contract, without greeks where there is no delta."""
    greeks = OptionGreeks(at=NOON, source=GreeksSource.IBKR, implied_volatility=0.21, delta=delta, gamma=0.01)
    return ChainContract(
        option=Option(symbol="SPY", expiry=date(2026, 11, 20), right=right, strike=Decimal(strike), conid=1),
        at=NOON,
        bid=Decimal("1.05"),
        ask=Decimal("1.10"),
        open_interest=12,
        open_interest_date=date(2026, 11, 13),
        greeks=None if delta is None else greeks,
    )


def chain(*contracts: ChainContract, at: datetime = NOON) -> ChainSnapshot:
    """A chain."""
    return ChainSnapshot(
        symbol="SPY", at=at, source="ibkr", spot=Decimal("500.5"), contracts=contracts, listed=10
    )


def block(kind: MarketKind, *rows: MarketRow, symbol: str = "SPY") -> MarketBlock:
    """A block of rows."""
    return MarketBlock(kind=kind, symbol=symbol, source="ibkr", heard_at=NOON, rows=rows)


def quotes(number: int, symbol: str = "SPY") -> MarketBlock:
    """A block that says its number by its bid."""
    return block(MarketKind.QUOTE, quote(str(number), symbol=symbol), symbol=symbol)


def numbers(reader: MarketOutboxReader, blocks_max: int = 100) -> list[int]:
    """What one read gives."""
    return [int(entry.block.rows[0].bid) for entry in reader.read(blocks_max, 0).entries]  # type: ignore


EVERYTHING = SymbolUpdate(
    symbol="SPY",
    ticker=quote(),
    book=DepthSnapshot(
        symbol="SPY",
        instrument_id=SPY,
        at=NOON,
        bids=(DepthLevel(price=Decimal("500.01"), size=Decimal(2), maker="ARCA"),),
        asks=(),
        is_synthetic=True,
    ),
    state=InstrumentState(
        symbol="SPY", instrument_id=SPY, at=NOON, state=TradingState.CROSSED, reason="500.02 over 500.01"
    ),
    trades=(trade(1), trade(2)),
    bars=(bar(0), bar(1)),
    chain=chain(contract(500, Right.CALL), contract(510, Right.CALL, None), contract(500, Right.PUT)),
    sentiment=SentimentReading(symbol="SPY", at=NOON, window_s=3600, articles=3, score=None, label="none"),
    technicals=(
        TechnicalReading(
            symbol="SPY", indicator="RSI", at=NOON, interval="1min", source="av", values={"RSI": 55.5}
        ),
    ),
    volatility=VolatilityReading(
        index="VIX1D",
        at=NOON,
        value=Decimal("17.25"),
        source=VolatilitySource.YAHOO,
        regime=Regime.NORMAL,
        judged_at=later(1),
        z_score=-0.25,
        samples=21,
    ),
)
ROWS: dict[MarketKind, tuple[Any, ...]] = {
    MarketKind.QUOTE: (quote(), quote("1"), replace(quote(), bid=None, conid=None)),
    MarketKind.TRADE: (trade(1), trade(2)),
    MarketKind.BAR: (bar(0), bar(1)),
    MarketKind.DEPTH: (EVERYTHING.book,),
    MarketKind.CHAIN: (EVERYTHING.chain, chain(), chain(contract(1, Right.PUT, None))),
    MarketKind.STATE: (EVERYTHING.state,),
    MarketKind.VOLATILITY: (EVERYTHING.volatility,),
    MarketKind.NEWS: (
        NewsItem(
            item_id="1",
            published_at=NOON,
            title="Half \ud83d of 'it'; drop",
            url="https://x/1",
            publisher="x",
            score=0.5,
            label="Bullish",
            topics=("a", "b"),
            tickers=(TickerSentiment(symbol="SPY", score=-0.5, relevance=1.0, label="Bearish"),),
        ),
    ),
    MarketKind.SENTIMENT: (EVERYTHING.sentiment,),
    MarketKind.TECHNICAL: EVERYTHING.technicals,
    MarketKind.REFUSED: (
        RefusedRow(symbol="SPY", feed="quote", at=NOON, field="bid", reason="NaN", payload="nan \x00"),
    ),
}


def test_what_is_told_is_read_back_in_one_step(sides: Sides) -> None:
    """Every kind of live value equals what was told; a symbol that nobody told of is empty, not missing."""
    sides.sink.publish([EVERYTHING])
    told = sides.state.read(["SPY", "QQQ"])
    assert set(told) == {"SPY", "QQQ"}
    spy = told["SPY"]
    for name in ("ticker", "book", "state", "trades", "bars", "chain", "sentiment"):
        assert getattr(spy, name) == getattr(EVERYTHING, name), name
    assert spy.technicals == {"RSI": EVERYTHING.technicals[0]}
    assert sides.state.volatility() == EVERYTHING.volatility
    assert told["QQQ"].ticker is None
    assert told["QQQ"].chain is None
    assert sides.state.read(["SPY"], chains=False)["SPY"].chain is None


@pytest.mark.parametrize("kind", ROWS, ids=str)
def test_every_kind_of_row_goes_through_the_outbox_unchanged(sides: Sides, kind: MarketKind) -> None:
    """A block that is read equals the block that was written, with None where None was."""
    told = block(kind, *ROWS[kind])
    sides.sink.publish([SymbolUpdate(symbol="SPY", blocks=(told,))])
    entry = sides.reader().read(10, 0).entries[0]
    assert entry.block == told
    assert entry.sequence == 1


def test_nothing_said_changes_nothing(sides: Sides) -> None:
    """A part that an update leaves out stays as it was."""
    sides.sink.publish([EVERYTHING])
    sides.sink.publish([SymbolUpdate(symbol="SPY", ticker=quote("501"))])
    spy = sides.state.read(["SPY"])["SPY"]
    assert spy.ticker == quote("501")
    assert spy.book == EVERYTHING.book
    assert spy.trades == EVERYTHING.trades


def test_the_same_update_again_changes_nothing(sides: Sides) -> None:
    """Prints and blocks stand once, whatever the writer repeats after an answer that was lost."""
    update = replace(EVERYTHING, blocks=(quotes(1), quotes(2)))
    other = replace(update, trades=(trade(3),), blocks=(quotes(3),))
    for _ in range(3):
        sides.sink.publish([update, other])
    assert sides.state.read(["SPY"])["SPY"].trades == (trade(1), trade(2), trade(3))
    assert numbers(sides.reader()) == [1, 2, 3]


def test_prints_and_bars_are_bounded_and_a_bar_told_again_replaces(sides: Sides) -> None:
    """The newest stay, the oldest first; a late bar takes its place in the order of time."""
    prints = tuple(trade(number) for number in range(TRADES_KEPT + 10))
    minutes = tuple(bar(minute) for minute in range(BARS_KEPT + 5))
    sides.sink.publish([SymbolUpdate(symbol="SPY", trades=prints[:600], bars=minutes)])
    late = (bar(BARS_KEPT, close="499.5"), bar(BARS_KEPT - 1, close="499.25"))
    sides.sink.publish([SymbolUpdate(symbol="SPY", trades=prints[600:], bars=late)])
    spy = sides.state.read(["SPY"])["SPY"]
    assert spy.trades == prints[-TRADES_KEPT:]
    assert len(spy.bars) == BARS_KEPT
    assert [each.at for each in spy.bars] == sorted(each.at for each in spy.bars)
    assert {each.at: each for each in spy.bars}[late[0].at] == late[0]
    assert {each.at: each for each in spy.bars}[late[1].at] == late[1]


@pytest.mark.parametrize("most", [0, 1, 2, 1_000])
def test_a_reader_takes_as_many_prints_and_minutes_as_it_needs(sides: Sides, most: int) -> None:
    """The newest, oldest first; a reader of tickers takes none."""
    prints, minutes = tuple(map(trade, range(5))), tuple(map(bar, range(5)))
    sides.sink.publish([SymbolUpdate(symbol="SPY", ticker=quote(), trades=prints, bars=minutes)])
    told = sides.state.read(["SPY"], trades_max=most, bars_max=most)["SPY"]
    assert told.ticker == quote()
    assert told.trades == prints[5 - min(most, 5) :]
    assert told.bars == minutes[5 - min(most, 5) :]


def test_a_full_stream_refuses_the_update_whole_and_no_other(sides: Sides) -> None:
    """Neither its blocks nor its live state are written; other symbols go on; an ack makes room."""
    many = tuple(quotes(number) for number in range(BOUND - 1))
    sides.sink.publish([SymbolUpdate(symbol="SPY", ticker=quote("1"), blocks=many)])
    refused = SymbolUpdate(symbol="SPY", ticker=quote("2"), blocks=(quotes(100), quotes(101)))
    after = SymbolUpdate(symbol="SPY", ticker=quote("3"))
    other = SymbolUpdate(symbol="QQQ", ticker=quote("4", symbol="QQQ"), blocks=(quotes(4, "QQQ"),))
    with pytest.raises(OutboxFullError, match="SPY"):
        sides.sink.publish([refused, after, other])
    told = sides.state.read(["SPY", "QQQ"])
    assert told["SPY"].ticker == quote("1")
    assert told["QQQ"].ticker == quote("4", symbol="QQQ")
    assert sides.alerts() == 1
    reader = sides.reader()
    reader.ack([entry for entry in reader.read(100, 0).entries if entry.block.symbol == "SPY"][:2])
    sides.sink.publish([refused, after, other])
    assert sides.state.read(["SPY"])["SPY"].ticker == quote("3")
    assert sides.reader("b").backlog().entries == BOUND


def test_blocks_of_all_symbols_come_in_each_symbol_s_order(sides: Sides) -> None:
    """One read gives every stream's blocks, numbered without holes, and nothing twice."""
    for number in range(3):
        told = [SymbolUpdate(symbol=name, blocks=(quotes(number, name),)) for name in ("SPY", "QQQ", "IWM")]
        sides.sink.publish(told)
    batch = sides.reader().read(100, 0)
    assert not batch.is_repeat
    by_symbol: dict[str, list[tuple[int, int]]] = {}
    for entry in batch.entries:
        by_symbol.setdefault(entry.block.symbol, []).append((entry.sequence, int(entry.block.rows[0].bid)))  # type: ignore
    assert by_symbol == {name: [(1, 0), (2, 1), (3, 2)] for name in ("IWM", "QQQ", "SPY")}


def test_what_is_not_acknowledged_is_given_again_as_a_repeat(sides: Sides) -> None:
    """The same name gets its own first, also after its death; an ack ends it; a claim takes from the dead."""
    sides.sink.publish([SymbolUpdate(symbol="SPY", blocks=tuple(quotes(number) for number in range(5)))])
    dead = sides.reader("dead")
    assert numbers(dead, 2) == [0, 1]
    again = sides.reader("dead").read(100, 0)
    assert again.is_repeat
    assert len(again.entries) == 2
    other = sides.reader("b")
    rest = other.read(100, 0)
    assert not rest.is_repeat
    assert len(rest.entries) == 3
    assert other.ack(rest.entries) == 3
    assert other.claim(100, 3600) == 0
    assert other.claim(100, 0) == 2
    taken = other.read(100, 0)
    assert taken.is_repeat
    assert other.ack(taken.entries) == 2
    assert other.ack(taken.entries) == 0
    assert other.read(100, 0).entries == ()
    assert other.backlog().entries == 0


def test_a_claim_takes_as_many_as_it_says_over_all_streams(sides: Sides) -> None:
    """Not one more, and the rest at the next time."""
    names = ("SPY", "QQQ", "IWM")
    for number in range(4):
        sides.sink.publish([SymbolUpdate(symbol=name, blocks=(quotes(number, name),)) for name in names])
    assert len(sides.reader("dead").read(100, 0).entries) == 12
    alive = sides.reader("alive")
    assert alive.claim(5, 0) == 5
    taken = alive.read(100, 0)
    assert taken.is_repeat
    assert len(taken.entries) == 5
    alive.ack(taken.entries)
    assert alive.claim(100, 0) == 7
    assert len(alive.read(100, 0).entries) == 7


def test_the_backlog_counts_all_streams(sides: Sides) -> None:
    """Entries that wait, those that are given out, and the oldest's time."""
    reader = sides.reader()
    assert reader.backlog().entries == 0
    assert reader.backlog().oldest_at is None
    sides.sink.publish([SymbolUpdate(symbol=name, blocks=(quotes(1, name),)) for name in ("SPY", "QQQ")])
    reader.read(1, 0)
    backlog = reader.backlog()
    assert (backlog.entries, backlog.given) == (2, 1)
    assert backlog.oldest_at is not None


def test_an_entry_that_is_no_block_is_handed_over_as_such(sides: Sides) -> None:
    """It stops nobody, and is acknowledged like the others."""
    sides.sink.publish([SymbolUpdate(symbol="SPY", blocks=(quotes(1),))])
    sides.append_garbage("SPY")
    reader = sides.reader()
    batch = reader.read(10, 0)
    assert len(batch.entries) == len(batch.unreadable) == 1
    assert "{" in batch.unreadable[0].text
    assert reader.ack([*batch.entries, *batch.unreadable]) == 2
    assert reader.backlog().entries == 0


def test_a_lost_stream_begins_a_new_epoch_and_is_found_again(sides: Sides) -> None:
    """After a flush the same writer and the same reader go on, and the numbers start again."""
    sides.sink.publish([SymbolUpdate(symbol="SPY", blocks=(quotes(1),))])
    reader = sides.reader()
    before = reader.read(10, 0).entries[0]
    sides.flush()
    assert reader.read(10, 0).entries == ()
    sides.sink.publish([SymbolUpdate(symbol="SPY", blocks=(quotes(2),))])
    after = reader.read(10, 0).entries[0]
    assert after.epoch > before.epoch
    assert after.sequence == 1


@pytest.mark.parametrize("symbol", ["BRK B", "x'; drop table", "^VIX", "ES=F", "Ünï"])
def test_symbols_are_data(sides: Sides, symbol: str) -> None:
    """Whatever a symbol holds, it names only itself."""
    told = quote(symbol=symbol)
    sides.sink.publish([SymbolUpdate(symbol=symbol, ticker=told, blocks=(quotes(1, symbol),))])
    assert sides.state.read([symbol])[symbol].ticker == told
    assert sides.reader().read(10, 0).entries[0].block.symbol == symbol


@pytest.mark.parametrize(
    "update",
    [
        SymbolUpdate(symbol="SPY", ticker=quote("9"), blocks=(block(MarketKind.TRADE, quote()),)),
        SymbolUpdate(symbol="SPY", ticker=quote("9"), blocks=(block(MarketKind.QUOTE),)),
        SymbolUpdate(symbol="SPY", ticker=quote("9"), bars=(replace(bar(0), seconds=5),)),
        SymbolUpdate(symbol="SPY", ticker=replace(quote(), bid=Decimal("NaN"))),
        SymbolUpdate(
            symbol="SPY", ticker=quote("9"), technicals=(replace(EVERYTHING.technicals[0], indicator="X"),)
        ),
    ],
    ids=["rows of another kind", "no rows", "seconds", "no number", "unknown indicator"],
)
def test_what_no_market_says_is_refused_before_anything_is_written(
    sides: Sides, update: SymbolUpdate
) -> None:
    """Wrong use is told by its field; the good update beside it is not written either."""
    good = SymbolUpdate(symbol="QQQ", ticker=quote(symbol="QQQ"))
    with pytest.raises(InvalidFieldError):
        sides.sink.publish([good, update])
    told = sides.state.read(["SPY", "QQQ"])
    assert told["SPY"].ticker is None
    assert told["QQQ"].ticker is None
