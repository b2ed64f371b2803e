"""The stand-ins tell the index of the gateway's own world, and the same one to everybody."""

from datetime import date, timedelta
from decimal import Decimal

from simulation.http.index_path import IndexPath
from simulation.http.world_index import WorldIndex
from simulation.market.paths import epoch
from simulation.market.volatility_index import VIX1D
from simulation.market.world import new_world
from trading.calendar import previous_session, session_close, session_open

MONDAY = date(2026, 11, 23)


def test_on_its_sessions_the_index_is_the_worlds_and_elsewhere_it_is_drawn() -> None:
    """Every moment of a session equals what the gateway quotes; the year before is drawn from the seed."""
    world = new_world(7, MONDAY, 2)
    index = WorldIndex.of(world)
    for minutes in (0, 100, 389):
        moment = session_open(MONDAY) + timedelta(minutes=minutes)
        cents = world.quotes.spot_cents(VIX1D, epoch(moment))
        assert index.at(moment, MONDAY) == Decimal(cents) / 100
    before = previous_session(MONDAY)
    assert index.day(before) == IndexPath(7).day(before)
    opened, high, low, closed = index.day(MONDAY)
    assert low <= min(opened, closed) <= max(opened, closed) <= high
    assert closed == index.at(session_close(MONDAY), MONDAY)


def test_a_drawn_index_is_a_function_of_seed_and_moment() -> None:
    """Two stand-ins of one seed tell one index, those of another seed another."""
    moment = session_open(MONDAY) + timedelta(hours=1)
    assert IndexPath(7).at(moment, MONDAY) == IndexPath(7).at(moment, MONDAY)
    assert IndexPath(7).at(moment, MONDAY) != IndexPath(8).at(moment, MONDAY)
    assert 3 < IndexPath(7).at(moment, MONDAY) < 80
