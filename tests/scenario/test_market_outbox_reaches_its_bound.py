"""The warehouse refuses for minutes while the market goes on: the bound is said, so is what is missing."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from market_samples import HEARD, after, quote
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.clock import SystemClock
from adapters.ibkr.market.runner import ROWS_PER_WRITE_MAX
from adapters.ibkr.market.spool import MarketSpool
from adapters.memory.market_store import MemoryMarketStore
from adapters.redis.alerts import RedisAlertLog
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from adapters.redis.outbox import RedisOutbox, RedisOutboxReader
from trading.errors import OutboxFullError, WarehouseUnavailableError
from trading.model.broker import BrokerEvent, BrokerEventKind
from trading.model.market import MarketBlock, MarketEntry, MarketKind, Quote, RefusedRow
from trading.ports.alerts import RaisedAlert
from trading.ports.market_state import SymbolUpdate
from trading.ports.market_store import LoadReport
from trading.ports.outbox import UnreadableEntry
from trading.services.drain_market import MarketDrain, MarketDrainTools

pytestmark = pytest.mark.skipif(redis_binary() is None, reason="no redis-server")
BLOCKS_MAX = 40  # of one symbol in the outbox
SPOOL_ROWS_MAX = 120
FLUSHES, ROWS_PER_FLUSH = 200, 3
CALM_EVERY = 10  # flushes
ROUNDS_MAX = 50


@dataclass
class RefusingStore(MemoryMarketStore):
    """A warehouse that is away, and keeps what it is given when it is back."""

    is_away: bool = True
    entries: dict[tuple[str, str], MarketEntry] = field(default_factory=dict)
    given: Counter[tuple[str, str]] = field(default_factory=Counter)

    def record(
        self, entries: Sequence[MarketEntry], unreadable: Sequence[UnreadableEntry], *, is_repeat: bool
    ) -> Sequence[LoadReport]:
        """Refuse, or store."""
        if self.is_away:
            raise WarehouseUnavailableError("the warehouse takes no insert")
        for entry in entries:
            self.given[entry.stream, entry.entry_id] += 1
            self.entries[entry.stream, entry.entry_id] = entry
        return MemoryMarketStore.record(self, entries, unreadable, is_repeat=is_repeat)


@pytest.fixture
def redis() -> Iterator[RunningRedis]:
    """A server of its own."""
    with tempfile.TemporaryDirectory(prefix="r-") as folder:
        server = start_redis(Path(folder))
        try:
            yield server
        finally:
            server.kill()


def flush(number: int, symbol: str, rows: int) -> SymbolUpdate:
    """Quotes of one flush; no two are equal."""
    named = {"symbol": symbol, "instrument_id": f"STK:{symbol}"}
    told = tuple(quote(number + place / 10, f"{number}.{place}1", "1000", **named) for place in range(rows))
    block = MarketBlock(kind=MarketKind.QUOTE, symbol=symbol, source="ibkr", heard_at=HEARD, rows=told)
    return SymbolUpdate(symbol=symbol, ticker=told[-1], blocks=(block,))


def write(sink: RedisMarketSink, spool: MarketSpool) -> None:
    """As the session's writer does: what a full outbox refused goes back before what came since."""
    waiting, refused = spool.take(100, ROWS_PER_WRITE_MAX), []
    for update in waiting:
        try:
            sink.publish([update])
        except OutboxFullError:
            refused.append(update)
    spool.put_back(refused)


def play(sink: RedisMarketSink, spool: MarketSpool, drain: MarketDrain) -> list[Quote]:
    """The market at full rate, with a drain that tries all the time; returns what was heard."""
    heard: list[Quote] = []
    for number in range(FLUSHES):
        updates = [flush(number, "SPY", ROWS_PER_FLUSH)]
        if number % CALM_EVERY == 0:
            updates.append(flush(number, "QQQ", 1))
        heard += [row for update in updates for row in update.blocks[0].rows if isinstance(row, Quote)]
        spool.put(updates)
        write(sink, spool)
        if number % 20 == 0:
            with pytest.raises(WarehouseUnavailableError):
                drain.drain_once(0)
    return heard


def drain_all(sink: RedisMarketSink, spool: MarketSpool, drain: MarketDrain) -> None:
    """Until nothing waits, neither in the outbox nor in the spool."""
    for _ in range(ROUNDS_MAX):
        if not drain.drain_once(0).blocks and not len(spool):
            return
        write(sink, spool)
    raise AssertionError("something waits for ever")


def test_what_does_not_fit_is_said_and_the_rest_is_stored_once(redis: RunningRedis) -> None:
    """An alert names the full outbox, the calm symbol and orders go on, gaps have their times."""
    sink, spool = RedisMarketSink(redis.url, entries_max=BLOCKS_MAX), MarketSpool(SPOOL_ROWS_MAX)
    store = RefusingStore()
    reader = RedisMarketOutboxReader(redis.url, consumer="drain")
    drain = MarketDrain(MarketDrainTools(reader=reader, store=store, clock=SystemClock()))
    heard = play(sink, spool, drain)

    (alert,) = [each for each in alerts(redis) if each.code == "market_outbox_full"]
    assert "{SPY}: expected at most 40 unread blocks" in alert.text and "QQQ" not in alert.text
    assert spool.dropped and {lost.symbol for lost in spool.dropped} == {"SPY"}
    assert spool.rows <= SPOOL_ROWS_MAX
    calm = RedisMarketState(redis.url).read(["QQQ"])["QQQ"].ticker
    assert calm is not None and calm.at == after(FLUSHES - CALM_EVERY)
    assert orders_go_on(redis)

    store.is_away = False
    drain_all(sink, spool, drain)
    assert set(store.given.values()) == {1}
    rows = [row for entry in store.entries.values() for row in entry.block.rows]
    stored = [row for row in rows if isinstance(row, Quote)]
    gaps = [row for row in rows if isinstance(row, RefusedRow)]
    assert max(Counter(stored).values()) == 1
    missing = set(heard) - set(stored)
    assert set(stored) <= set(heard) and {row.symbol for row in missing} == {"SPY"}
    assert sum(gap.rows for gap in gaps) == len(missing) == sum(lost.rows for lost in spool.dropped)
    assert all(any(is_named(row, gap) for gap in gaps) for row in missing)
    newest = RedisMarketState(redis.url).read(["SPY"])["SPY"].ticker
    assert newest is not None and newest.at == heard[-1].at


def is_named(row: Quote, gap: RefusedRow) -> bool:
    """Whether a gap says that this row is not there."""
    first, last = (datetime.fromisoformat(part) for part in gap.payload.split(" from ")[1].split(" to "))
    return gap.symbol == row.symbol and gap.field == "quote" and first <= row.at <= last


def alerts(redis: RunningRedis) -> Sequence[RaisedAlert]:
    """What a person is shown."""
    return RedisAlertLog(redis.url).newest(None, 100)


def orders_go_on(redis: RunningRedis) -> bool:
    """Whether an event of the broker's is written and read while the market waits."""
    event = BrokerEvent(kind=BrokerEventKind.ACCOUNT_VALUE, heard_at=HEARD, account="DU1")
    appended = RedisOutbox(redis.url).append([event])
    batch = RedisOutboxReader(redis.url, consumer="orders").read(10, 0)
    return [entry.entry_id for entry in batch.entries] == list(appended.entry_ids)
