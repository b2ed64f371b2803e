"""What a lock-step session wrote into a real Redis is what the simulated world says."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ingest_desk import broker_settings, ingest_settings, into_trading_hours, market_settings, symbol_settings
from real_redis import redis_binary, start_redis

from adapters.ibkr.market.lockstep import GatewayControl, LockStep
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from simulation.gateway import Gateway, GatewayPlan, run_in_thread
from simulation.tws.options import GatewayOptions
from trading.market_settings import ChainMode
from trading.model.market import ChainSnapshot, MarketKind, MarketRow, Quote, Trade

SECONDS = 130
MARKET = market_settings(
    SPY=symbol_settings(depth=True, tick_by_tick=True, chain=ChainMode.SNAPSHOT),
    AAPL=symbol_settings(chain=ChainMode.STREAM),
)

pytestmark = pytest.mark.skipif(redis_binary() is None, reason="no redis-server")


class Played:
    """The session's rows out of Redis, and the world that they are of."""

    def __init__(
        self, rows: dict[tuple[str, MarketKind], list[Any]], live: Any, truth: dict[str, Any]
    ) -> None:
        self.rows, self.live, self.truth = rows, live, truth


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Two minutes of a session, with everything that can be heard, in Redis."""
    options = GatewayOptions(pump_s=3_600, messages_per_second=1_000_000, market_data_lines=500)
    plan = GatewayPlan(speed=None, orders=0, options=options)
    with tempfile.TemporaryDirectory(prefix="r-") as folder, run_in_thread(plan) as running:
        redis = start_redis(Path(folder))
        try:
            running.do(into_trading_hours)
            began = running.do(lambda gateway: gateway.clock.now())
            asyncio.run(_play(running.port, GatewayControl(running.control_port), redis.url))
            truth = running.do(lambda gateway: _truth(gateway, began))
            yield Played(_drained(redis.url), RedisMarketState(redis.url).read(["SPY", "AAPL"]), truth)
        finally:
            redis.kill()


async def _play(port: int, control: GatewayControl, url: str) -> None:
    ingest = ingest_settings(market_data_lines=400)
    driver = LockStep(
        broker_settings(port, 1), MARKET, ingest, RedisMarketSink(url), control.step, begins_at=control.now()
    )
    await driver.connect()
    await driver.advance(SECONDS)
    driver.close()
    assert driver.alerts == []


def _drained(url: str) -> dict[tuple[str, MarketKind], list[MarketRow]]:
    reader, rows = (
        RedisMarketOutboxReader(url, consumer="test"),
        dict[tuple[str, MarketKind], list[MarketRow]](),
    )
    while entries := reader.read(500, 0.1).entries:
        for entry in entries:
            rows.setdefault((entry.block.symbol, entry.block.kind), []).extend(entry.block.rows)
        reader.ack(entries)
    return rows


def _truth(gateway: Gateway, began: Any) -> dict[str, Any]:
    """What the world says at the end, and what was printed since the beginning."""
    broker, now = gateway.broker, gateway.clock.now()
    shares = {
        each.symbol: each
        for each in gateway.world.listings.by_conid.values()
        if each.asset == "STK" and each.symbol in ("SPY", "AAPL")
    }
    options = [
        each
        for each in gateway.world.listings.by_conid.values()
        if each.asset == "OPT" and each.underlying is not None and each.underlying.symbol in ("SPY", "AAPL")
    ]
    return {
        "now": now,
        "conids": {symbol: share.conid for symbol, share in shares.items()},
        "quotes": {each.conid: broker.quote(each.conid, now) for each in (*shares.values(), *options)},
        "interest": {each.conid: broker.open_interest(each.conid) for each in options},
        "greeks": {each.conid: broker.greeks(each.conid, now) for each in options},
        "prints": {symbol: list(broker.prints(share.conid, began, now)) for symbol, share in shares.items()},
        "bars": {
            symbol: list(broker.bars(share.conid, began + timedelta(seconds=120), 120, 60, "TRADES"))
            for symbol, share in shares.items()
        },
        "depth": broker.depth(shares["SPY"].conid, 10, now),
    }


def _last_quotes(rows: list[Quote]) -> dict[int, Quote]:
    return {row.conid: row for row in rows if row.conid is not None}


def test_the_last_quote_of_every_line_is_the_worlds(played: Played) -> None:
    """Level 1 sends only changes; what stands at the end is what the world quotes at the end."""
    for symbol in ("SPY", "AAPL"):
        last = _last_quotes(played.rows[symbol, MarketKind.QUOTE])
        own = played.truth["conids"][symbol]
        chain = played.live[symbol].chain
        assert isinstance(chain, ChainSnapshot)
        listened = {own, *(each.option.conid for each in chain.contracts)} if symbol == "AAPL" else {own}
        streamed = {conid: last[conid] for conid in listened}
        assert len(streamed) == (1 if symbol == "SPY" else 29), len(streamed)
        for conid, quote in streamed.items():
            told = played.truth["quotes"][conid]
            assert (quote.bid, quote.ask, quote.last) == (told.bid, told.ask, told.last), conid
            assert (quote.volume or 0) == told.volume


def test_every_print_is_there_once(played: Played) -> None:
    """Tick by tick for one, as texts for the other; in order, with price and size."""
    for symbol in ("SPY", "AAPL"):
        own = played.truth["conids"][symbol]
        trades: list[Trade] = [row for row in played.rows[symbol, MarketKind.TRADE] if row.conid == own]
        told = [(each.price, Decimal(each.size)) for each in played.truth["prints"][symbol]]
        assert [(trade.price, trade.size) for trade in trades] == told
        assert {trade.signed_by.value for trade in trades} >= {"quote"}


def test_minutes_are_the_tapes_own(played: Played) -> None:
    """Rolled up from five seconds."""
    for symbol in ("SPY", "AAPL"):
        bars = {bar.at: bar for bar in played.rows[symbol, MarketKind.BAR]}
        for told in played.truth["bars"][symbol]:
            bar = bars[told.at]
            assert (bar.open, bar.high, bar.low, bar.close) == (told.open, told.high, told.low, told.close)
            assert (bar.volume, bar.trades) == (told.volume, told.count)


def test_the_chain_is_the_worlds(played: Played) -> None:
    """Every chosen contract with its quote, open interest and greeks."""
    for symbol in ("SPY", "AAPL"):
        chain = played.live[symbol].chain
        assert isinstance(chain, ChainSnapshot)
        assert 25 <= len(chain.contracts) <= 28, "one that was chosen just now has not had its turn"
        for contract in chain.contracts:
            conid = contract.option.conid
            assert contract.open_interest == played.truth["interest"][conid]
            assert contract.greeks is not None
            world = played.truth["greeks"][conid]
            assert contract.greeks.implied_volatility == pytest.approx(world.implied_volatility, abs=0.02)


def test_the_book_is_the_worlds(played: Played) -> None:
    """The live book at the end has the world's price levels."""
    book, told = played.live["SPY"].book, played.truth["depth"]
    assert [level.price for level in book.bids] == sorted({row.price for row in told.bids}, reverse=True)
    assert [level.price for level in book.asks] == sorted({row.price for row in told.asks})
    assert not book.is_synthetic and played.live["AAPL"].book.is_synthetic
