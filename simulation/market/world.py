"""The simulated world: sessions, prices, listings, quotes and tape from one seed.

`world_after` goes on from the sample desk's month with its prices and contract ids; `new_world` begins at
the underlyings' starting prices.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

from simulation.market.chain import Chains
from simulation.market.events import events_of
from simulation.market.hours import TradingHours
from simulation.market.interest import OpenInterest
from simulation.market.listings import Listings, listed
from simulation.market.marks import ClosingMarks
from simulation.market.nature import synthetic
from simulation.market.news import News, scheduled
from simulation.market.parts import MarketEvent, QuoteSource, TapeSource
from simulation.market.paths import SESSIONS_MOST, SpotPaths, stepped
from simulation.market.pricing import Pricing
from simulation.market.printed import Printed
from simulation.market.profile import MINUTE
from simulation.market.quotes import Quotes
from simulation.market.tape import Tape
from simulation.market.volatility_index import VolatilityIndex
from simulation.market.weather import drawn_weather
from simulation.sample_desk.contracts import UNDERLYINGS, Contract, Underlying
from simulation.sample_desk.market import EURO_MOVE_PIPS, EURO_START_PIPS, Market
from simulation.sample_desk.month import Month
from trading.calendar import TradingCalendar

DEFAULT_SESSIONS = 5
DRAWN_AS = 2  # counts how prices are drawn: orders recorded in one cannot be played in another


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
    seed: int,
    first_session: date,
    sessions: int = DEFAULT_SESSIONS,
    calendar: TradingCalendar | None = None,
    symbols: int = 0,
) -> World:
    """A world that begins at the first session (or the next one after the day).

    `symbols` adds synthetic companies with chains of a thousand contracts each, for load.
    """
    return drawn_world(seed, first_session, sessions, calendar or TradingCalendar(), symbols=symbols)


def world_after(
    month: Month,
    sessions: int = DEFAULT_SESSIONS,
    calendar: TradingCalendar | None = None,
    symbols: int = 0,
) -> World:
    """The world after the sample desk's month: its closes, its contract ids, its seed."""
    told = calendar or TradingCalendar()
    known = {conid: item for evening in month.evenings for conid, item in evening.contracts.items()}
    first = told.next_session(month.sessions[-1])
    return drawn_world(month.seed, first, sessions, told, month.market, known.values(), symbols)


def drawn_world(
    seed: int,
    first: date,
    count: int,
    calendar: TradingCalendar,
    before: Market | None = None,
    known: Iterable[Contract] = (),
    symbols: int = 0,
) -> World:
    """A generated world, its parts put together."""
    if not 1 <= count <= SESSIONS_MOST:
        raise ValueError(f"sessions: expected 1 to {SESSIONS_MOST}, was {count}")
    days = [calendar.session_on_or_after(first)]
    while len(days) < count:
        days.append(calendar.next_session(days[-1]))
    sessions, hours, more = tuple(days), TradingHours(calendar), synthetic(symbols)
    news, paths = drawn_paths(seed, sessions, hours, (*UNDERLYINGS, *more), before)
    listings = listed(paths.market, sessions, hours, known, more)
    quotes = _quotes(seed, paths, hours, listings, news, sessions)
    return World(
        seed=seed,
        calendar=calendar,
        sessions=sessions,
        market=ClosingMarks(paths=paths.market.paths, euro=paths.market.euro, quotes=quotes),
        hours=hours,
        listings=listings,
        quotes=quotes,
        tape=Tape(quotes=quotes, printed=quotes.printed),
        events=events_of(seed, paths.drawn, paths.model, paths.underlyings, calendar),
    )


def drawn_paths(
    seed: int,
    sessions: tuple[date, ...],
    hours: TradingHours,
    underlyings: tuple[Underlying, ...],
    before: Market | None,
) -> tuple[tuple[News, ...], SpotPaths]:
    """Scheduled news and all prices, going on where `before` ends."""
    market = Market(paths=dict(before.paths), euro=dict(before.euro)) if before else Market()
    calendar = hours.calendar
    spans = [calendar.session_close(day) - calendar.session_open(day) for day in sessions]
    minutes = tuple(int(span.total_seconds()) // MINUTE for span in spans)
    news = scheduled(seed, sessions, minutes, underlyings)
    closes = [_last_close(market, underlying) for underlying in underlyings]
    weather = drawn_weather(seed, sessions, minutes, underlyings, closes, news)
    paths = SpotPaths(
        seed=seed,
        hours=hours,
        underlyings=underlyings,
        drawn=dict(zip(sessions, weather, strict=True)),
        market=market,
    )
    _add_euro(seed, market, sessions)
    for session in sessions:
        market.paths.update(stepped(paths, session))
    return news, paths


def _quotes(
    seed: int,
    paths: SpotPaths,
    hours: TradingHours,
    listings: Listings,
    news: tuple[News, ...],
    sessions: tuple[date, ...],
) -> Quotes:
    series: dict[str, list[Contract]] = {}
    for contract in listings.by_conid.values():
        if contract.asset == "OPT" and contract.underlying is not None:
            series.setdefault(contract.underlying.symbol, []).append(contract)
    chains = Chains(seed=seed, paths=paths, hours=hours, news=news, sessions=sessions, contracts=series)
    pricing = Pricing(seed=seed, paths=paths, chains=chains)
    printed = Printed(seed=seed, paths=paths, chains=chains, pricing=pricing)
    (source,) = (underlying for underlying in UNDERLYINGS if underlying.is_index)
    return Quotes(
        seed=seed,
        paths=paths,
        hours=hours,
        chains=chains,
        pricing=pricing,
        printed=printed,
        interest=OpenInterest(chains=chains, printed=printed, sessions=sessions),
        index=VolatilityIndex(pricing=pricing, chains=chains, source=source),
    )


def _last_close(market: Market, underlying: Underlying) -> int:
    days = [session for symbol, session in market.paths if symbol == underlying.symbol]
    return market.close_cents(underlying, max(days)) if days else underlying.start_cents


def _add_euro(seed: int, market: Market, sessions: tuple[date, ...]) -> None:
    last = max(market.euro) if market.euro else None
    pips = int(market.euro[last] * 100_000) if last else EURO_START_PIPS
    for session in sessions:
        pips += Random(f"euro {seed} {session}").randint(-EURO_MOVE_PIPS, EURO_MOVE_PIPS)
        market.euro[session] = Decimal(pips) / 100_000
