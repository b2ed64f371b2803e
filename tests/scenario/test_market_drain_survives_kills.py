"""The market's drain, Redis and the warehouse are killed at random: the tables are what was published."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from killable_drain import VICTIMS, KillableDrain, killable_drain
from market_samples import HEARD, SESSION, bar, book, chain, quote, state, trade

from adapters.clickhouse.client import Warehouse
from adapters.redis.live_state import RedisLiveState
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from desk.residents.market_drain import COMPONENT
from trading.errors import LiveStateUnavailableError, OutboxFullError
from trading.model.market import MarketBlock, MarketKind, MarketRow, Quote, Trade
from trading.ports.market_state import SymbolUpdate

pytest.importorskip("chdb", reason="the embedded engine is not installed")

MODULE = "desk.residents.market_drain"
SYMBOLS = ("SPY", "QQQ", "IWM")
PUBLISHES_TRIED_MAX = 600
KILL_WITHIN_S = 0.4  # about the time that a batch takes
RATE_PAUSE_S = 0.01


def market_of(seed: int, updates: int) -> list[SymbolUpdate]:
    """Flushes of three symbols: quotes and trades, now and then the other kinds; no two rows are equal."""
    rng = random.Random(seed)
    told = []
    for number in range(updates):
        symbol, at = SYMBOLS[number % len(SYMBOLS)], number / 4
        named = {"symbol": symbol, "instrument_id": f"STK:{symbol}"}
        quotes = [quote(at + n / 1000, f"{rng.randint(1, 999)}", "1000", **named) for n in range(4)]
        trades = [trade(at, str(rng.randint(1, 999)), ordinal=n, **named) for n in range(rng.randint(0, 3))]
        blocks = [_block(MarketKind.QUOTE, symbol, quotes)]
        if trades:
            blocks.append(_block(MarketKind.TRADE, symbol, trades))
        if number % 10 == 0:
            blocks.append(_block(MarketKind.DEPTH, symbol, [replace(book(at), **named)]))
            blocks.append(_block(MarketKind.BAR, symbol, [bar(number, **named)]))
            blocks.append(_block(MarketKind.STATE, symbol, [replace(state(at), **named)]))
        if number % 25 == 0:
            blocks.append(_block(MarketKind.CHAIN, symbol, [chain(at, symbol=symbol)]))
        told.append(SymbolUpdate(symbol=symbol, blocks=tuple(blocks)))
    return told


def publish(sink: RedisMarketSink, update: SymbolUpdate) -> None:
    """As a feed does: what was not certainly published is published again."""
    for _ in range(PUBLISHES_TRIED_MAX):
        try:
            sink.publish([update])
            return
        except (LiveStateUnavailableError, OutboxFullError):
            time.sleep(0.05)
    raise AssertionError("the outbox never took the update")


def played(running: KillableDrain, seed: int, updates: Sequence[SymbolUpdate], kills: int) -> None:
    """Publish all at the pace of flushes, and kill at random places between them."""
    rng = random.Random(seed)
    sink = RedisMarketSink(running.redis.url)
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(kills)]
    rng.shuffle(victims)
    span = len(updates) // (kills + 1)
    places = {span * (number + 1): victim for number, victim in enumerate(victims)}
    for number, update in enumerate(updates):
        publish(sink, update)
        time.sleep(RATE_PAUSE_S)
        if number in places:
            time.sleep(rng.random() * KILL_WITHIN_S)
            running.kill(places[number])


def compare(running: KillableDrain, updates: Sequence[SymbolUpdate]) -> None:
    """Hold the tables to what was published, row for row, and the roll-ups to the rows."""
    client = Warehouse(running.server.url)
    blocks = [block for update in updates for block in update.blocks]
    rows = [row for block in blocks for row in block.rows]
    quotes = [(one.symbol, one.at, one.bid) for one in rows if isinstance(one, Quote)]
    trades = [(one.symbol, one.at, one.ordinal, one.price) for one in rows if isinstance(one, Trade)]
    assert _told(client, "symbol, at, bid", "quotes") == sorted(quotes)
    assert _told(client, "symbol, at, ordinal, price", "trades") == sorted(trades)
    for kind, view, width in (
        (MarketKind.DEPTH, "depth", 1),
        (MarketKind.BAR, "bars", 1),
        (MarketKind.STATE, "instrument_states", 1),
        (MarketKind.CHAIN, "chains", 6),
    ):
        count = client.value(f"select count() from core.{view}")
        assert count == width * sum(block.kind is kind for block in blocks), view
    minutes = client.rows(
        "select sum(quotes) as quotes, sum(spread_sum) as spreads from core.quote_minute_rows final"
    )
    assert minutes == [
        {"quotes": len(quotes), "spreads": sum(Decimal(1000) - bid for _, _, bid in quotes if bid)}
    ]
    value = sum((one.price * one.size for one in rows if isinstance(one, Trade)), Decimal(0))
    found = client.rows("select sum(trades) as trades, sum(value) as value from core.trade_minutes")
    assert found == [{"trades": len(trades), "value": value}]


def _told(client: Warehouse, columns: str, view: str) -> list[tuple[object, ...]]:
    rows = client.rows(
        f"select {columns} from core.{view} where session = {{session:Date}}", {"session": SESSION}
    )
    return sorted(tuple(row.values()) for row in rows)


def _block(kind: MarketKind, symbol: str, rows: Sequence[MarketRow]) -> MarketBlock:
    return MarketBlock(kind=kind, symbol=symbol, source="ibkr", heard_at=HEARD, rows=tuple(rows))


def survive(folder: Path, seed: int, updates: int, kills: int) -> None:
    """One whole run."""
    told = market_of(seed, updates)
    with killable_drain(folder, MODULE) as running:
        played(running, seed, told, kills)
        reader = RedisMarketOutboxReader(running.redis.url, consumer="onlooker")
        running.wait_until_drained(lambda: reader.backlog().entries)
        assert COMPONENT in RedisLiveState(running.redis.url).heartbeats()
        running.end_in_order()  # computes the minutes that run
        compare(running, told)


def test_each_process_is_killed_once_and_the_tables_are_what_was_published(tmp_path: Path) -> None:
    """Some hundred flushes, one kill each of drain, Redis and warehouse; the drain ends in good order."""
    survive(tmp_path, seed=11, updates=120, kills=3)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(3))
def test_ten_kills_of_each_over_thousands_of_flushes(tmp_path: Path, seed: int) -> None:
    """Thirty kills in a run of some six thousand flushes."""
    survive(tmp_path, seed=seed, updates=6_000, kills=30)
