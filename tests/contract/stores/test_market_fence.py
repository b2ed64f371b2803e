"""Two writers of the live market: the one that was followed writes nothing more, wherever it wakes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from market_rows import bar, volatility
from market_updates import NOON, chain, client, contract, update
from real_redis import RunningRedis

from adapters.redis import keys
from adapters.redis.live_state import RedisLiveState
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.errors import FencedOutError
from trading.model.market import Bar
from trading.ports.live_state import Lease
from trading.ports.market_state import MINUTES_TOLD_AGAIN, SymbolUpdate
from trading.services.hold_lease import SHARD, HeldLease


def lease(number: int, component: str = "ingest") -> Lease:
    """A lease by its number."""
    return Lease(component=component, shard="writer", owner=f"process {number}", fencing=number)


def everything(redis: RunningRedis) -> dict[bytes, bytes]:
    """What the server holds, to the byte."""
    driver = RedisLiveState(redis.url)._client
    return {key: driver.dump(key) for key in driver.keys("*")}


def minute(number: int, price: int = 1) -> Bar:
    """A minute after noon."""
    return bar(NOON + timedelta(minutes=number), name="STK:SPY", symbol="SPY", price=price)


@pytest.mark.parametrize(
    "late",
    [
        lambda: update(1),
        lambda: update(1, "a symbol that only the older one tells"),
        lambda: replace(update(1), blocks=()),
        lambda: chain((contract(1, 0.5),)),
        lambda: SymbolUpdate(symbol="VIX1D", volatility=volatility(NOON)),
    ],
)
def test_who_was_followed_writes_nothing(
    redis_server: RunningRedis, late: Callable[[], SymbolUpdate]
) -> None:
    """Nor where its successor wrote nothing yet, nor what no stream is written with."""
    older, newer = RedisMarketSink(redis_server.url), RedisMarketSink(redis_server.url)
    client(older).flushall()
    older.take_over(lease(1))
    older.publish([update(1), late()])
    newer.take_over(lease(2), ["SPY", "VIX1D"])
    newer.publish([update(2)])
    before = everything(redis_server)
    told = late()
    with pytest.raises(FencedOutError, match="fencing:ingest 1: another process writes"):
        older.publish([replace(told, ticker=update(9).ticker) if told.ticker else told])
    assert everything(redis_server) == before
    newer.publish([update(3)])
    with pytest.raises(FencedOutError):
        older.take_over(lease(1))


def test_a_pause_between_a_chain_and_its_greeks_writes_no_older_greeks(redis_server: RunningRedis) -> None:
    """They go beside the script and are compared there, too."""
    older, newer = RedisMarketSink(redis_server.url), RedisMarketSink(redis_server.url)
    client(older).flushall()
    older.take_over(lease(1))
    told = chain((contract(1, 0.5),))
    written, older._tell_greeks = older._tell_greeks, lambda _: None  # type: ignore[method-assign]
    older.publish([told])
    newer.take_over(lease(2))
    with pytest.raises(FencedOutError):
        written(told)
    assert not client(older).keys(keys.OPTION_GREEKS.matching())


def test_components_have_numbers_of_their_own_and_some_need_none(redis_server: RunningRedis) -> None:
    """The vendors write a symbol that the broker's session writes; a replay writes beside all."""
    ingest, vendors, replay = (RedisMarketSink(redis_server.url) for _ in range(3))
    client(ingest).flushall()
    ingest.take_over(lease(7))
    vendors.take_over(lease(3, "vendors"))
    for number, sink in enumerate((ingest, vendors, replay, ingest)):
        sink.publish([update(number)])
    stream = keys.OUTBOX.at(topic="market", sym="SPY")
    assert client(ingest).xlen(stream) == 4


def test_after_a_flush_the_holder_goes_on_under_a_higher_number(redis_server: RunningRedis) -> None:
    """Nobody waits, and whoever had the number before is older."""
    state = RedisLiveState(redis_server.url)
    state._client.flushall()
    held, sink = HeldLease(state, "ingest", "one", 60), RedisMarketSink(redis_server.url)
    before = held.keep()
    sink.take_over(before)
    state._client.flushall()
    after = held.keep()
    sink.take_over(after)
    sink.publish([update(1)])
    assert after.fencing > before.fencing
    late = RedisMarketSink(redis_server.url)
    with pytest.raises(FencedOutError):
        late.take_over(before, ["SPY"])


def test_after_a_flush_a_number_goes_on_from_the_clock(redis_server: RunningRedis) -> None:
    """What was given to others meanwhile is lost with the memory, and all of it lies before now."""
    state = RedisLiveState(redis_server.url)
    state._client.flushall()
    followed = Lease(component="ingest", shard=SHARD, owner="one", fencing=1)
    seconds, microseconds = state._client.time()
    kept = state.keep_lease(followed, 60)
    assert kept is not None
    assert kept.fencing >= seconds * 1_000 + microseconds // 1_000


def test_a_lease_is_followed_where_its_holder_is_proved_dead_and_waited_for_where_not(
    redis_server: RunningRedis,
) -> None:
    """Its life need not run out then; what nobody can prove is waited for."""
    state = RedisLiveState(redis_server.url)
    state._client.flushall()
    first = HeldLease(state, "ingest", "one", 60).keep()
    assert HeldLease(state, "ingest", "two", 60).take() is None
    second = HeldLease(state, "ingest", "three", 60, lambda owner: owner == "one").take()
    assert second is not None
    assert second.fencing > first.fencing
    with pytest.raises(FencedOutError):
        HeldLease(state, "ingest", "two", 60).keep()


def test_minutes_of_the_session_come_back_after_a_flush(
    redis_server: RunningRedis, state: RedisMarketState
) -> None:
    """Those that were told, in their last form, and those that were there when the process began."""
    before, sink = RedisMarketSink(redis_server.url), RedisMarketSink(redis_server.url)
    client(sink).flushall()
    before.publish([SymbolUpdate(symbol="SPY", bars=(minute(0), minute(1)))])
    sink.take_over(lease(1), ["SPY"])
    sink.publish([replace(update(1), bars=(minute(1, 2), minute(2)))])
    sink.publish([replace(update(2, "QQQ"))])
    client(sink).flushall()
    sink.publish([update(3, "QQQ")])
    assert state.read(["SPY"])["SPY"].bars == (minute(0), minute(1, 2), minute(2))
    assert client(sink).ttl(keys.MARKET_BARS.at(sym="SPY")) > 0
    client(sink).delete(keys.MARKET_BARS.at(sym="SPY"))
    sink.publish([update(4, "QQQ")])
    assert state.read(["SPY"])["SPY"].bars == ()  # told again once, not with every update


def test_so_many_minutes_stay_in_memory_and_no_more(
    redis_server: RunningRedis, state: RedisMarketState
) -> None:
    """A session's, the newest."""
    sink = RedisMarketSink(redis_server.url)
    client(sink).flushall()
    minutes = tuple(minute(number) for number in range(MINUTES_TOLD_AGAIN + 5))
    sink.publish([replace(update(1), bars=minutes)])
    client(sink).flushall()
    sink.publish([update(2)])
    assert state.read(["SPY"])["SPY"].bars == minutes[5:]
