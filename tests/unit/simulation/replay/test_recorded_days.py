"""The recorded days as they are: every folder opens, and what is known to be dirty in it is named."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from simulation.market.replay import RecordedWorld, recorded_world
from simulation.sample_desk.contracts import Contract


def named(world: RecordedWorld, symbol: str) -> Contract:
    return next(each for each in world.listings.by_conid.values() if each.symbol == symbol)


def test_apple_after_its_split(shared_data: Path) -> None:
    """Quotes of hours, trades of minutes, new strikes listed; stale open interest and double series named."""
    world = recorded_world(shared_data / "lean-aapl-options-201406", date(2014, 6, 9))
    call = named(world, "AAPL  140621C00092860")
    at_eleven = world.calendar.session_open(date(2014, 6, 9)) + timedelta(minutes=90)
    quote = world.tape.quote(call, at_eleven)
    assert quote.bid is not None and quote.ask is not None and quote.bid < quote.ask < Decimal(3)
    assert quote.volume > 1_000
    assert not any(each.strike == 650 for each in world.listings.by_conid.values())
    told = "\n".join(world.remarks())
    assert "under strikes of before the split: 2165" in told
    assert "listed under their old and their new strike: 2180" in told


def test_index_options_and_the_index_in_new_yorks_time(shared_data: Path) -> None:
    """The index is stamped in Chicago: its first value stands at half past nine. Two classes, one index."""
    world = recorded_world(shared_data / "lean-spx-options-202101")
    assert world.sessions == (date(2021, 1, 4), date(2021, 1, 5), date(2021, 1, 6))
    opens = world.calendar.session_open(date(2021, 1, 4))
    index = named(world, "SPX")
    assert world.tape.quote(index, opens).last == Decimal("3764.61")
    assert world.tape.quote(index, opens - timedelta(seconds=1)).last is None
    quote = world.tape.quote(named(world, "SPXW  210104C03700000"), opens)
    assert (quote.bid, quote.ask, quote.bid_size) == (Decimal("65.1"), Decimal("69.2"), 48)
    classes = {chain.trading_class for chain in world.listings.chains("SPX", world.sessions[0])}
    assert classes == {"SPX", "SPXW"}
    assert any("2021-01-06 that are not played in this run" in text for text in world.remarks())


def test_the_national_best_of_a_tick_tape_is_hardly_ever_crossed(shared_data: Path) -> None:
    """IBM: under 0.2 % of the states; every trade of regular hours that is not suspicious is there."""
    world = recorded_world(shared_data / "lean-equity-ticks-201310", date(2013, 10, 7))
    ibm = named(world, "IBM")
    tape = world.recording.touches(ibm, date(2013, 10, 7))
    crossed = sum(1 for bid, ask in zip(tape.bid, tape.ask, strict=True) if 0 < ask < bid)
    assert len(tape.at) > 30_000 and crossed / len(tape.at) < 0.002
    opens = world.calendar.session_open(date(2013, 10, 7))
    prints = world.tape.prints(ibm, opens - timedelta(seconds=1), opens + timedelta(hours=7))
    assert 20_000 < len(prints) < 34_000
    assert prints[0].at >= opens and prints[-1].at < opens + timedelta(hours=6.5)
