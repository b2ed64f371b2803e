"""What the server keeps of a symbol has a bound of its own, however long nobody reads or drains it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from market_updates import NOON, client, update
from real_redis import RunningRedis

from adapters.redis import keys, market_outbox, market_sink, market_state
from adapters.redis.connection import run_scripts
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.errors import InvalidFieldError, OutboxFullError
from trading.model.market import Bar
from trading.ports.market_state import BARS_KEPT, SYMBOLS_PER_READ_MAX, TRADES_KEPT


def minute(number: int) -> Bar:
    """A bar of the session."""
    figures = dict.fromkeys(("open", "high", "low", "close"), Decimal(number + 1))
    at = NOON + timedelta(minutes=number)
    return Bar(symbol="SPY", instrument_id="STK:SPY", at=at, seconds=60, volume=None, **figures)


def test_prints_and_minutes_are_the_newest_and_no_more(sink: RedisMarketSink) -> None:
    """Also over many updates: the server is not left with what readers do not ask for."""
    print_ = update(1).trades[0]
    for start in range(3):
        prints = tuple(
            replace(print_, at=NOON + timedelta(seconds=start * TRADES_KEPT + n)) for n in range(TRADES_KEPT)
        )
        minutes = tuple(minute(start * BARS_KEPT + n) for n in range(BARS_KEPT))
        sink.publish([replace(update(start), trades=prints, bars=minutes)])
    driver = client(sink)
    assert driver.llen(keys.MARKET_TRADES.at(sym="SPY")) == TRADES_KEPT
    assert driver.zcard(keys.MARKET_BARS.at(sym="SPY")) == BARS_KEPT
    ((_, newest),) = driver.zrange(keys.MARKET_BARS.at(sym="SPY"), -1, -1, withscores=True)
    assert newest == minute(3 * BARS_KEPT - 1).at.timestamp()


def test_a_block_beyond_the_bound_in_bytes_is_written_where_nothing_waits(
    redis_server: RunningRedis,
) -> None:
    """A chain may be larger than the room for it: refused for ever, it would stop its symbol for ever."""
    sink = RedisMarketSink(redis_server.url, bytes_max=10)
    client(sink).flushall()
    sink.publish([update(1)])
    with pytest.raises(OutboxFullError):
        sink.publish([update(2)])
    assert client(sink).xlen(keys.OUTBOX.at(topic="market", sym="SPY")) == 1
    sink.close()


@pytest.mark.parametrize(("bound", "trips"), [("BYTES_PER_TRIP_MAX", 3), ("CALLS_PER_TRIP_MAX", 2)])
def test_a_round_trip_is_bounded_in_bytes_and_in_calls(
    sink: RedisMarketSink, monkeypatch: pytest.MonkeyPatch, bound: str, trips: int
) -> None:
    """What a server takes at once leaves it time for orders; all of it is written all the same."""
    asked: list[int] = []

    def counted(driver: Any, name: str, calls: Sequence[Any]) -> Any:
        asked.append(len(calls))
        return run_scripts(driver, name, calls)

    monkeypatch.setattr(market_sink, "run_scripts", counted)
    monkeypatch.setattr(market_sink, bound, 2)
    symbols = ("SPY", "QQQ", "IWM")
    sink.publish([update(1, symbol) for symbol in symbols])
    assert (len(asked), sum(asked)) == (trips, 3)
    streams = [keys.OUTBOX.at(topic="market", sym=symbol) for symbol in symbols]
    assert [client(sink).xlen(stream) for stream in streams] == [1, 1, 1]


def test_foreign_names_are_remembered_within_a_bound(
    sink: RedisMarketSink,
    redis_server: RunningRedis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who fills the names of the streams fills no memory of the drain, and no log."""
    monkeypatch.setattr(market_outbox, "LEFT_OUT_MAX", 2)
    client(sink).sadd(keys.OUTBOX_SYMBOLS.at(topic="market"), "A:B", "C:D", "E:F", "G:H")
    sink.publish([update(1)])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    for _ in range(3):
        assert len(reader.read(10, 0).entries) == 1
    reader.close()
    assert len([record for record in caplog.records if "market_stream_left_out" in record.message]) == 2


def test_more_symbols_than_a_read_takes_are_refused_by_number(state: RedisMarketState) -> None:
    """One question holds no server up."""
    with pytest.raises(InvalidFieldError, match=f"symbols.*at most {SYMBOLS_PER_READ_MAX}"):
        state.read([f"S{n}" for n in range(SYMBOLS_PER_READ_MAX + 1)])


def test_unreadable_values_are_remembered_within_a_bound(
    sink: RedisMarketSink, redis_server: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that spoils value after value fills no reader's memory; beyond it a letter may come twice."""
    monkeypatch.setattr(market_state, "LETTERS_KNOWN_MAX", 2)
    reader = RedisMarketState(redis_server.url, letters=sink)
    for number in range(6):
        client(sink).set(keys.MARKET_TICKER.at(sym="SPY"), f"spoiled {number}")
        assert [value.field for value in reader.read(["SPY"])["SPY"].unreadable] == ["ticker"]
    assert len(reader._told) <= 2
    assert client(sink).xlen(keys.OUTBOX.at(topic="market", sym="SPY")) == 6
    reader.close()
