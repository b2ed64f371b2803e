"""The simulated world: sessions, prices, listings, quotes and tape from one seed.

`world_after` goes on from the sample desk's month with its prices and contract ids; `new_world` begins at
the underlyings' starting prices.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from simulation.market.hours import TradingHours
from simulation.market.listings import Listings, listed
from simulation.market.marks import ClosingMarks
from simulation.market.parts import MarketEvent, QuoteSource, TapeSource
from simulation.market.paths import SESSIONS_MOST, SpotPaths, extended_market
from simulation.market.quotes import Quotes
from simulation.market.tape import Tape
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.market import Market
from simulation.sample_desk.month import Month
from trading.calendar import TradingCalendar

DEFAULT_SESSIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that is outside the broker; deterministic in its seed, and never changed by anybody in it.

    `market` gives closes, steps, marks and the euro's rate for statements; `listings` and `hours` are made of
    contracts and sessions in any world. Only `quotes` and `tape` know where prices come from.
    """

    seed: int
    calendar: TradingCalendar
    sessions: tuple[date, ...]
    market: Market
    hours: TradingHours
    listings: Listings
    quotes: QuoteSource
    tape: TapeSource
    events: tuple[MarketEvent, ...] = ()


def new_world(
    seed: int, first_session: date, sessions: int = DEFAULT_SESSIONS, calendar: TradingCalendar | None = None
) -> World:
    """A world that begins at the first session (or the next one after the day)."""
    return _world(seed, first_session, sessions, calendar or TradingCalendar(), None, ())


def world_after(
    month: Month, sessions: int = DEFAULT_SESSIONS, calendar: TradingCalendar | None = None
) -> World:
    """The world after the sample desk's month: its closes, its contract ids, its seed."""
    told = calendar or TradingCalendar()
    known = {conid: item for evening in month.evenings for conid, item in evening.contracts.items()}
    first = told.next_session(month.sessions[-1])
    return _world(month.seed, first, sessions, told, month.market, known.values())


def _world(
    seed: int,
    first: date,
    count: int,
    calendar: TradingCalendar,
    before: Market | None,
    known: Iterable[Contract],
) -> World:
    if not 1 <= count <= SESSIONS_MOST:
        raise ValueError(f"sessions: expected 1 to {SESSIONS_MOST}, was {count}")
    days = [calendar.session_on_or_after(first)]
    while len(days) < count:
        days.append(calendar.next_session(days[-1]))
    sessions = tuple(days)
    hours = TradingHours(calendar)
    market = extended_market(seed, sessions, before)
    paths = SpotPaths(seed=seed, market=market, hours=hours)
    quotes = Quotes(seed=seed, paths=paths, hours=hours)
    return World(
        seed=seed,
        calendar=calendar,
        sessions=sessions,
        market=ClosingMarks(paths=market.paths, euro=market.euro, quotes=quotes),
        hours=hours,
        listings=listed(market, sessions, hours, known),
        quotes=quotes,
        tape=Tape(quotes=quotes),
    )
