"""A drawn market written as files and replayed: at the end of each minute it is the same market."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from simulation.market.lean_writing import write_market
from simulation.market.parts import Touch
from simulation.market.replay import RecordedWorld, recorded_world
from simulation.market.world import World, new_world
from simulation.sample_desk.contracts import Contract

SESSION = date(2026, 11, 27)  # an early close: half a day of minutes
NAMES = ("IWM", "SPX")
MINUTES = (0, 1, 59, 118, 209)


@pytest.fixture(scope="module")
def drawn() -> World:
    """One session of a seed."""
    return new_world(7, SESSION, 1)


@pytest.fixture(scope="module")
def replayed(drawn: World, tmp_path_factory: pytest.TempPathFactory) -> RecordedWorld:
    """The same market out of files: the fund and the index, and a few of their series."""
    near = _near(drawn)
    few = {contract.conid: contract for contract in (*near, *_spots(drawn))}
    drawn.listings.by_conid.clear()
    drawn.listings.by_conid.update(few)
    folder = tmp_path_factory.mktemp("written")
    paths = write_market(drawn, NAMES, folder)
    assert all(path.stat().st_size for path in paths)
    again = [path.read_bytes() for path in write_market(drawn, NAMES, folder)]
    assert again == [path.read_bytes() for path in paths]
    return recorded_world(folder)


def _spots(world: World) -> list[Contract]:
    listed = world.listings.by_conid.values()
    return [each for each in listed if each.asset == "STK" and each.symbol in NAMES]


def _near(world: World) -> list[Contract]:
    """A dozen series near the money of each."""
    found = []
    for spot in _spots(world):
        assert spot.underlying is not None
        price = world.market.close_cents(spot.underlying, SESSION)
        series = [
            each
            for each in world.listings.by_conid.values()
            if each.asset == "OPT" and each.underlying == spot.underlying
        ]
        found += sorted(series, key=lambda each: (abs(each.strike_cents - price), each.symbol))[:12]
    return found


def _pairs(drawn: World, replayed: RecordedWorld) -> list[tuple[Contract, Contract]]:
    theirs = {each.symbol: each for each in replayed.listings.by_conid.values()}
    return [(each, theirs[each.symbol]) for each in drawn.listings.by_conid.values()]


def test_the_last_quote_of_every_minute_is_the_same(drawn: World, replayed: RecordedWorld) -> None:
    """Touch and sizes of the last second, of shares and options; the index has the same value."""
    opens = int(drawn.calendar.session_open(SESSION).timestamp())
    compared: list[Touch | None] = []
    for ours, theirs in _pairs(drawn, replayed):
        for minute in MINUTES:
            second = opens + minute * 60 + 59
            touch = drawn.quotes.touch(ours, second)
            assert replayed.quotes.touch(theirs, second) == touch, (ours.symbol, minute)
            compared.append(touch)
    assert sum(touch is not None for touch in compared) >= 100


def test_all_trades_bars_and_open_interest_are_the_same(drawn: World, replayed: RecordedWorld) -> None:
    """Bars of a minute price by price, the day's volume, and what was open in the morning."""
    closes = drawn.calendar.session_close(SESSION)
    volume = 0
    for ours, theirs in _pairs(drawn, replayed):
        bars = drawn.tape.bars(ours, closes, 12_600, 60, "TRADES")
        again = replayed.tape.bars(theirs, closes, 12_600, 60, "TRADES")
        kept = [(each.at, each.open, each.high, each.low, each.close, each.volume) for each in bars]
        assert [(each.at, each.open, each.high, each.low, each.close, each.volume) for each in again] == kept
        interest = drawn.quotes.open_interest(ours, SESSION)
        assert replayed.quotes.open_interest(theirs, SESSION) == interest
        volume += sum(max(each.volume, 0) for each in bars)
    assert volume > 10_000


def test_greeks_and_the_chain_come_back(drawn: World, replayed: RecordedWorld) -> None:
    """The model's values of the end of the day, by class; both classes' chains are listed."""
    last = drawn.calendar.session_close(SESSION) - timedelta(seconds=1)
    pairs = [pair for pair in _pairs(drawn, replayed) if drawn.quotes.greeks(pair[0], last) is not None]
    assert pairs
    for ours, theirs in pairs:
        greeks, again = drawn.quotes.greeks(ours, last), replayed.quotes.greeks(theirs, last)
        assert greeks is not None and again is not None
        assert again.delta == pytest.approx(greeks.delta, abs=1e-6)
        assert again.implied_volatility == pytest.approx(greeks.implied_volatility, abs=1e-6)
    for symbol in NAMES:
        assert replayed.listings.chains(symbol, SESSION)


def test_an_underlying_that_is_not_listed_is_refused(drawn: World, tmp_path: Path) -> None:
    """The error names it and those that are."""
    with pytest.raises(ValueError, match="was NOPE"):
        write_market(drawn, ("NOPE",), tmp_path)
