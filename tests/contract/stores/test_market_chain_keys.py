"""A chain in Redis: its counts, its event, greeks of single contracts, and nobody held up."""

from dataclasses import replace
from datetime import timedelta

from market_updates import NOON, chain, client, contract
from real_redis import RunningRedis

from adapters.redis import keys
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import GREEKS_PER_SCRIPT_MAX, RedisMarketSink
from adapters.redis.market_state import RedisMarketState

BLOCKING_MS_MAX = 250  # of one command, on a machine that does other things
TRIES_MAX = 5  # a machine that does other things slows a command now and then, what is too large is so always


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
    assert told.get_message(timeout=60)["type"] == "subscribe"
    bare = replace(contract(2, 0.5), greeks=None, open_interest=None, bid=None, ask=None)
    sink.publish([chain((contract(0, 0.5), contract(1, 0.5), bare))])
    assert b'"symbol":"SPY"' in told.get_message(timeout=60)["data"]
    health = client(sink).hgetall(keys.MONITORING_OPTIONS.at(sym="SPY"))
    names = (b"contracts", b"listed", b"skipped", b"missing_greeks", b"missing_quote")
    assert [health[name] for name in names] == [b"3", b"7", b"4", b"1", b"1"]
    assert health[b"open_interest_date"] == b"2026-11-13"
    told.close()


def test_a_chain_of_twenty_thousand_contracts_holds_nobody_up(
    state: RedisMarketState, redis_server: RunningRedis
) -> None:
    """It reads back whole, and no command of it kept the server for long."""
    contracts = tuple(contract(place, place / 40_000) for place in range(20_000))
    for _ in range(TRIES_MAX):
        sink = RedisMarketSink(redis_server.url)  # what another one wrote it does not know, so it writes all
        client(sink).flushall()
        client(sink).config_set("slowlog-log-slower-than", BLOCKING_MS_MAX * 1_000)
        client(sink).slowlog_reset()
        sink.publish([chain(contracts)])
        told = state.read(["SPY"])["SPY"].chain
        slow = client(sink).slowlog_get()
        if not slow:
            break
    assert slow == []
    assert told is not None
    assert sorted(told.contracts, key=lambda each: each.option.instrument_id) == sorted(
        contracts, key=lambda each: each.option.instrument_id
    )
    assert len(greeks_keys(sink)) == 20_000 > GREEKS_PER_SCRIPT_MAX
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    (entry,) = reader.read(10, 0).entries
    assert entry.block.rows[0].contracts == contracts  # type: ignore[union-attr]
