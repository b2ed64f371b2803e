"""A drawn market for tests, with its parts at hand; `python drawn_market.py` prints a digest of a session.

The digest covers touches, greeks, depth, prints, bars, open interest, marks and the volatility index at
sampled moments, so two interpreters, or two machines, that print the same have drawn the same market.
"""

import hashlib
from datetime import date, timedelta
from functools import cache

from simulation.market.paths import epoch
from simulation.market.quotes import Quotes
from simulation.market.tape import Tape
from simulation.market.volatility_index import VIX1D
from simulation.market.world import World, new_world
from simulation.sample_desk.contracts import UNDERLYINGS, Contract, Underlying

SEED, FIRST, MONTH = 7, date(2026, 11, 13), 20  # with the short session after Thanksgiving
EARLY_CLOSE = date(2026, 11, 27)


@cache
def market(seed: int = SEED, sessions: int = MONTH, symbols: int = 0) -> World:
    """Some sessions from Friday the 13th on; nothing in it changes, so all tests share it."""
    return new_world(seed, FIRST, sessions, symbols=symbols)


def quotes_of(world: World) -> Quotes:
    """The drawn quotes with all their parts."""
    assert isinstance(world.quotes, Quotes)
    return world.quotes


def tape_of(world: World) -> Tape:
    """The drawn tape."""
    assert isinstance(world.tape, Tape)
    return world.tape


def underlying(symbol: str) -> Underlying:
    """One of the eight."""
    return next(item for item in UNDERLYINGS if item.symbol == symbol)


def bounds(world: World, session: date) -> tuple[int, int]:
    """Opening and close in epoch seconds."""
    return epoch(world.calendar.session_open(session)), epoch(world.calendar.session_close(session))


def options(world: World, symbol: str, session: date) -> list[Contract]:
    """Live series of a symbol, in listing order."""
    return [
        item
        for item in world.listings.by_conid.values()
        if item.asset == "OPT"
        and item.underlying is not None
        and item.underlying.symbol == symbol
        and item.expiry is not None
        and item.expiry >= session
    ]


def digest(world: World) -> str:
    """A hash of what the world says at sampled moments."""
    told = hashlib.sha256()

    def add(*values: object) -> None:
        told.update(repr(values).encode())

    for session in world.sessions:
        opens, closes = bounds(world, session)
        for place, item in enumerate(UNDERLYINGS):
            series = options(world, item.symbol, session)
            for number in range(0, 400, 23):
                contract = series[number * 7 % len(series)]
                at = world.calendar.session_open(session) + timedelta(seconds=61 * number + place)
                add(world.tape.quote(contract, at), world.quotes.greeks(contract, at))
                add(world.quotes.depth(contract, 5, at), world.quotes.open_interest(contract, session))
                add(world.tape.prints(contract, at - timedelta(minutes=9), at))
            share = world.listings.contract(item.conid)
            ends = world.calendar.session_close(session)
            add(world.tape.quote(share, ends - timedelta(seconds=30)), world.market.mark(series[0], session))
            add(world.tape.prints(share, ends - timedelta(seconds=90), ends))
            add(world.tape.bars(share, ends, 1_800, 300, "TRADES"))
        add([world.quotes.spot_cents(VIX1D, second) for second in range(opens, closes, 1_800)])
    return told.hexdigest()


if __name__ == "__main__":
    print(digest(market(sessions=2)))
