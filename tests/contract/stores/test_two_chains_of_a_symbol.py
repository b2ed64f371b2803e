"""Two sources tell one symbol's chain: readers see one at a time, the warehouse gets both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from real_redis import RunningRedis

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
from trading.model.instruments import Option, Right
from trading.model.market import (
    ChainContract,
    ChainSnapshot,
    GreeksSource,
    MarketBlock,
    MarketKind,
    OptionGreeks,
)
from trading.ports.market_outbox import MarketOutboxReader
from trading.ports.market_state import CHAIN_YIELDS_S, MarketSink, MarketState, SymbolUpdate

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
BROKER, VENDOR = "ibkr", "alpha_vantage"


@dataclass(frozen=True, slots=True)
class Sides:
    """A writer, a reader, the outbox's reader, and a way to let this machine's time pass."""

    sink: MarketSink
    state: MarketState
    reader: MarketOutboxReader
    wait: Callable[[float], None]

    def source(self) -> str:
        """Whose chain readers see."""
        told = self.state.read(["SPY"])["SPY"].chain
        return told.source if told is not None else ""

    def blocks(self) -> list[str]:
        """The sources of all chains on their way to the warehouse."""
        return [entry.block.source for entry in self.reader.read(100, 0.01).entries]


@pytest.fixture(params=["memory", "redis"])
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        second = [0.0]

        def pass_by(seconds: float) -> None:
            second[0] += seconds

        market = MemoryMarket(stepped=lambda: second[0])
        yield Sides(
            MemoryMarketSink(market),
            MemoryMarketState(market),
            MemoryMarketOutboxReader(market, "a"),
            pass_by,
        )
        return
    running: RunningRedis = request.getfixturevalue("redis_server")
    sink = RedisMarketSink(running.url)
    driver: Any = sink._client
    driver.flushall()
    key = keys.OPTION_CHAIN.at(sym="SPY")

    def age(seconds: float) -> None:
        driver.pexpire(key, int(driver.pttl(key) - seconds * 1000))

    state, reader = RedisMarketState(running.url), RedisMarketOutboxReader(running.url, consumer="a")
    yield Sides(sink, state, reader, age)
    for each in (sink, state, reader):
        each.close()


def chain(source: str, contracts: int, seconds: float = 0.0) -> SymbolUpdate:
    """A source tells so many contracts."""
    at = NOON + timedelta(seconds=seconds)
    greeks = OptionGreeks(at=at, source=GreeksSource.OWN, implied_volatility=0.2, delta=contracts / 100)
    told = tuple(
        ChainContract(
            option=Option(
                symbol="SPY", expiry=date(2026, 12, 18), right=Right.CALL, strike=Decimal(500 + place)
            ),
            at=at,
            bid=Decimal("1.00"),
            greeks=greeks,
        )
        for place in range(contracts)
    )
    snapshot = ChainSnapshot(symbol="SPY", at=at, source=source, spot=None, contracts=told, listed=contracts)
    block = MarketBlock(kind=MarketKind.CHAIN, symbol="SPY", source=source, heard_at=at, rows=(snapshot,))
    return SymbolUpdate(symbol="SPY", chain=snapshot, blocks=(block,))


def test_a_part_of_a_chain_does_not_replace_all_of_it(sides: Sides) -> None:
    """The broker's few contracts come between the vendor's rounds, and readers never see the chain shrink."""
    sides.sink.publish([chain(VENDOR, 9)])
    sides.sink.publish([chain(BROKER, 3, 5)])
    assert sides.source() == VENDOR
    sides.sink.publish([chain(VENDOR, 8, 10)])
    told = sides.state.read(["SPY"])["SPY"].chain
    assert told is not None
    assert len(told.contracts) == 8
    assert sides.blocks() == [VENDOR, BROKER, VENDOR]


def test_a_part_stands_in_when_the_whole_has_become_old(sides: Sides) -> None:
    """A vendor that stopped: the broker's chain is what readers see, until the vendor tells again."""
    sides.sink.publish([chain(VENDOR, 9)])
    sides.wait(CHAIN_YIELDS_S + 1)
    sides.sink.publish([chain(BROKER, 3, 5)])
    assert sides.source() == BROKER
    sides.sink.publish([chain(VENDOR, 9, 10)])
    assert sides.source() == VENDOR


def test_as_many_contracts_replace_one_another(sides: Sides) -> None:
    """Neither knows better."""
    sides.sink.publish([chain(VENDOR, 3)])
    sides.sink.publish([chain(BROKER, 3, 5)])
    assert sides.source() == BROKER


def test_what_yields_yields_only_its_chain(sides: Sides) -> None:
    """Everything else of the update is written."""
    from trading.model.market import Quote

    quote = Quote(symbol="SPY", instrument_id="STK:SPY", at=NOON, bid=Decimal(500), ask=Decimal(501))
    sides.sink.publish([chain(VENDOR, 9)])
    sides.sink.publish([replace(chain(BROKER, 3, 5), ticker=quote)])
    told = sides.state.read(["SPY"])["SPY"]
    assert told.ticker == quote
    assert told.chain is not None
    assert told.chain.source == VENDOR


def test_a_repeat_is_the_same_update_whether_it_yields_or_not(sides: Sides) -> None:
    """Published again after a lost answer, when the other chain is old by then: no block stands twice."""
    sides.sink.publish([chain(VENDOR, 9)])
    sides.sink.publish([chain(BROKER, 3, 5)])
    sides.wait(CHAIN_YIELDS_S + 1)
    sides.sink.publish([chain(BROKER, 3, 5)])
    assert sides.blocks() == [VENDOR, BROKER]


def test_greeks_of_a_chain_that_yields_are_not_written(redis_server: RunningRedis) -> None:
    """A contract's greeks are those of the chain that readers see; garbage in its place is replaced."""
    sink = RedisMarketSink(redis_server.url)
    driver: Any = sink._client
    driver.flushall()
    key = keys.OPTION_GREEKS.at(sym="SPY", occ="SPY261218C00500000")
    sink.publish([chain(VENDOR, 9)])
    first = driver.get(key)
    sink.publish([chain(BROKER, 3, 5)])
    assert driver.get(key) == first
    driver.set(keys.OPTION_CHAIN.at(sym="SPY"), b"{", ex=keys.OPTION_CHAIN.ttl_s)
    sink.publish([chain(BROKER, 3, 10)])
    assert driver.get(key) != first
    sink.close()
