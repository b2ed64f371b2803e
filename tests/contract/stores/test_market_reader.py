"""Readers of the live market and its outbox: bounded, fair, and nothing lost with an answer."""

from typing import Any

import pytest
from market_updates import chain, client, contract, update
from real_redis import RunningRedis

from adapters.redis import keys
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.errors import OutboxFullError, UnreadableStateError
from trading.model.market import MarketKind, RefusedRow


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


def test_a_value_that_nobody_of_ours_wrote_takes_nothing_along(
    sink: RedisMarketSink, redis_server: RunningRedis
) -> None:
    """It is named with its field, reads neither as nothing nor as a quote, and is one dead letter."""
    reader = RedisMarketState(redis_server.url, letters=sink)
    sink.publish([update(1), update(1, "QQQ")])
    bad = b'{"v":1,"bid":"12'
    client(sink).set(keys.MARKET_TICKER.at(sym="SPY"), bad)
    client(sink).lpush(keys.MARKET_TRADES.at(sym="SPY"), b"{}")
    client(sink).set(keys.MARKET_BARS.at(sym="SPY"), b"a text where a set belongs")
    for _ in range(2):
        told = reader.read(["SPY", "QQQ", "IWM"])
    spy, qqq = told["SPY"], told["QQQ"]
    assert {value.field for value in spy.unreadable} == {"ticker", "trades", "bars"}
    assert (spy.ticker, len(spy.trades)) == (None, 1), "the print that can be read is there"
    for field in ("ticker", "trades", "bars"):
        with pytest.raises(UnreadableStateError, match=f"SPY {field}"):
            spy.checked("book", field)
    with pytest.raises(UnreadableStateError, match=r'\{"v":1,"bid":"12'):
        spy.checked("ticker")
    assert spy.checked("book", "state") is spy
    assert (qqq.unreadable, qqq.ticker is None, told["IWM"].checked("ticker").ticker) == ((), False, None)
    letters = [
        (entry.block.source, entry.block.symbol, row.field, row.payload)
        for entry in RedisMarketOutboxReader(redis_server.url, consumer="w").read(100, 0).entries
        for row in entry.block.rows
        if isinstance(row, RefusedRow)
    ]
    assert len(letters) == 3, "once for each value, however often it is read"
    assert ("live_state", "SPY", "ticker", bad.decode()) in letters
    reader.close()


def test_a_reading_of_volatility_that_is_none_is_an_error_of_its_own(
    sink: RedisMarketSink, state: RedisMarketState
) -> None:
    """Not the one of a server that is away, and never "there is none"."""
    assert state.volatility() is None
    client(sink).set(keys.VOLATILITY_REGIME.at(), b"17.5")
    with pytest.raises(UnreadableStateError, match=r"volatility.*17\.5"):
        state.volatility()


def test_a_dead_letter_that_is_full_holds_no_answer_up(redis_server: RunningRedis) -> None:
    """The value is named all the same, and its letter is written when there is room."""
    sink = RedisMarketSink(redis_server.url, entries_max=1)
    client(sink).flushall()
    sink.publish([update(1)])
    state = RedisMarketState(redis_server.url, letters=sink)
    client(sink).set(keys.MARKET_TICKER.at(sym="SPY"), b"[]")
    assert [value.field for value in state.read(["SPY"])["SPY"].unreadable] == ["ticker"]
    reader = RedisMarketOutboxReader(redis_server.url, consumer="w")
    reader.ack(reader.read(10, 0).entries)
    assert state.read(["SPY"])["SPY"].ticker is None
    (letter,) = reader.read(10, 0).entries
    assert letter.block.kind is MarketKind.REFUSED
    for each in (sink, state, reader):
        each.close()
