"""The state of a symbol in Redis: there as long as somebody tells the symbol, also over a flush."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from market_updates import NOON, chain, client, contract, update
from real_redis import RunningRedis

from adapters.redis import keys
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.model.market import InstrumentState, MarketKind, RefusedRow, TradingState
from trading.ports.market_state import SymbolUpdate


def with_state(symbol: str, is_what: TradingState) -> SymbolUpdate:
    """An update that tells a change of state."""
    told = InstrumentState(
        symbol=symbol, instrument_id=f"STK:{symbol}", at=NOON, state=is_what, reason="told"
    )
    return replace(update(1, symbol), state=told)


def states(state: RedisMarketState, symbols: Sequence[str] = ("SPY", "QQQ")) -> list[TradingState | None]:
    """What a reader sees."""
    told = state.read(symbols)
    return [each.state.state if each.state else None for each in told.values()]


def test_a_server_that_lost_everything_learns_of_a_halt_with_the_next_update_of_any_symbol(
    sink: RedisMarketSink, state: RedisMarketState
) -> None:
    """A halted symbol tells nothing more: what is known of it comes back with what others tell."""
    sink.publish([with_state("SPY", TradingState.OPEN), with_state("QQQ", TradingState.HALTED)])
    client(sink).flushall()
    sink.publish([update(2)])
    assert states(state) == [TradingState.OPEN, TradingState.HALTED]
    assert client(sink).ttl(keys.MARKET_STATE.at(sym="QQQ")) > 0


def test_an_update_that_is_repeated_late_puts_no_older_state_in_the_place_of_a_newer(
    sink: RedisMarketSink, state: RedisMarketState
) -> None:
    """Its answer was lost and it is sent again behind a halt: what is told after a loss is the halt."""
    opened, halted = with_state("SPY", TradingState.OPEN), with_state("SPY", TradingState.HALTED)
    assert halted.state is not None
    sink.publish([opened, update(1, "QQQ")])
    sink.publish([replace(halted, state=replace(halted.state, at=NOON + timedelta(seconds=1)))])
    sink.publish([opened])
    client(sink).flushall()
    sink.publish([update(2, "QQQ")])
    assert states(state, ["SPY"]) == [TradingState.HALTED]


def test_a_state_that_stands_for_days_outlives_its_key(
    sink: RedisMarketSink, state: RedisMarketState
) -> None:
    """It is told again when its life is half over, on the market's clock, and not before."""
    sink.publish([with_state("SPY", TradingState.LOCKED)])
    half_life = timedelta(seconds=(keys.MARKET_STATE.ttl_s or 0) / 2)
    for after, there in ((half_life - timedelta(seconds=1), None), (half_life, TradingState.LOCKED)):
        client(sink).delete(keys.MARKET_STATE.at(sym="SPY"))
        told = update(3)
        assert told.ticker is not None
        sink.publish([replace(told, ticker=replace(told.ticker, at=NOON + after))])
        assert states(state, ["SPY"]) == [there]


def test_a_server_that_lost_everything_gets_all_greeks_again(sink: RedisMarketSink) -> None:
    """Not only those that change, which for a contract far away is not before half an hour."""
    contracts = tuple(contract(place, 0.5) for place in range(3))
    sink.publish([chain(contracts)])
    client(sink).flushall()
    sink.publish([chain(contracts, NOON + timedelta(seconds=10))])
    assert len(list(client(sink).scan_iter(match=keys.OPTION_GREEKS.matching(sym="SPY")))) == len(contracts)


def test_what_a_server_lost_undrained_is_a_record_and_an_alert(
    sink: RedisMarketSink, redis_server: RunningRedis
) -> None:
    """The warehouse learns of the hole from the dead letter, a person from the alert; each once."""
    sink.publish([update(1), update(1, "QQQ")])
    client(sink).flushall()
    sink.publish([update(2)])
    sink.publish([update(3)])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    blocks = [entry.block for entry in reader.read(100, 0).entries]
    lost = [row for block in blocks if block.kind is MarketKind.REFUSED for row in block.rows]
    assert [(row.symbol, row.field) for row in lost if isinstance(row, RefusedRow)] == [("SPY", "gap")]
    assert [int(block.rows[0].bid) for block in blocks if block.kind is MarketKind.QUOTE] == [2, 3]  # type: ignore[union-attr, arg-type]
    alerts = client(sink).xrange(keys.ALERTS_CRITICAL.at())
    assert [fields[b"code"] for _, fields in alerts] == [b"market_outbox_lost"]


def test_a_loss_that_finds_no_room_is_recorded_when_there_is_some(redis_server: RunningRedis) -> None:
    """The stream that began anew is full at once; the hole is not forgotten for that."""
    sink = RedisMarketSink(redis_server.url, entries_max=2)
    client(sink).flushall()
    sink.publish([update(1)])
    client(sink).flushall()
    sink.publish([replace(update(2), blocks=(*update(2).blocks, *update(3).blocks))])
    reader = RedisMarketOutboxReader(redis_server.url, consumer="a")
    first = reader.read(100, 0).entries
    assert [entry.block.kind for entry in first] == [MarketKind.QUOTE, MarketKind.QUOTE]
    reader.ack(first)
    sink.publish([update(4)])
    after = reader.read(100, 0).entries
    assert [entry.block.kind for entry in after] == [MarketKind.QUOTE, MarketKind.REFUSED]
    for each in (sink, reader):
        each.close()
