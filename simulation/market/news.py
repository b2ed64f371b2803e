"""News that moves prices: when it comes is drawn from the seed, how far it moves is drawn by weather.py.

Scheduled news is known beforehand and therefore priced into the options that live past it. News between
close and open is part of the night's gap.
"""

from dataclasses import dataclass
from datetime import date

from simulation.market.mixing import mixed, unit
from simulation.market.nature import nature_of
from simulation.sample_desk.contracts import Underlying

NIGHT = -1  # minute of news between the close before and the open
SALT_NEWS, SALT_EARNINGS = 1112, 112


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One piece. `deviation` is the size of its move in deviations of a day of its factor."""

    session: int
    minute: int
    symbol: str
    kind: str
    headline: str
    deviation: float


MARKET_NEWS = (
    # minute after the open, chance a session, deviation, kind, headline
    (NIGHT, 0.30, 0.40, "release", "Consumer prices and jobs are released before the opening"),
    (30, 0.35, 0.35, "release", "Purchasing managers' survey is released"),
    (270, 0.30, 0.90, "decision", "The central bank announces its decision on rates"),
)
LAST_QUIET_MINUTES = 30  # nothing is scheduled for the end of a session
DECISION_WEEKDAY = 2  # the central bank speaks on Wednesdays
EARNINGS_CHANCE, EARNINGS_DEVIATION = 0.035, 3.2


def scheduled(
    seed: int, sessions: tuple[date, ...], minutes: tuple[int, ...], underlyings: tuple[Underlying, ...]
) -> tuple[News, ...]:
    """All scheduled news of the sessions, in the order of time; none moves the very first opening."""
    told: list[News] = []
    for place, session in enumerate(sessions):
        told += _of_market(seed, place, session, minutes[place])
        if place:
            told += _earnings(seed, place, session, underlyings)
    return tuple(sorted(told, key=lambda news: (news.session, news.minute)))


def _of_market(seed: int, place: int, session: date, minutes: int) -> list[News]:
    return [
        News(session=place, minute=minute, symbol="", kind=kind, headline=headline, deviation=deviation)
        for number, (minute, chance, deviation, kind, headline) in enumerate(MARKET_NEWS)
        if minute < minutes - LAST_QUIET_MINUTES
        and (kind != "decision" or session.weekday() == DECISION_WEEKDAY)
        and (place or minute != NIGHT)
        and unit(seed, session.toordinal(), number, SALT_NEWS) < chance
    ]


def _earnings(seed: int, place: int, session: date, underlyings: tuple[Underlying, ...]) -> list[News]:
    return [
        News(
            session=place,
            minute=NIGHT,
            symbol=underlying.symbol,
            kind="earnings",
            headline=f"{underlying.symbol} reports its quarter",
            deviation=EARNINGS_DEVIATION,
        )
        for underlying in underlyings
        if nature_of(underlying).company
        and mixed(seed, session.toordinal(), underlying.conid, SALT_EARNINGS) % 10_000
        < EARNINGS_CHANCE * 10_000
    ]
