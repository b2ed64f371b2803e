"""Spot prices to the second: the sample desk's quarter-hour paths, filled in by a bridge between the steps.

Whole cents. A session's seconds are drawn once, from the seed, symbol and session alone; what is asked
and when does not matter. Before the first second of a session its opening price stands, after the last
second its close.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

from simulation.market.hours import TradingHours
from simulation.sample_desk.contracts import UNDERLYINGS, Contract, Underlying
from simulation.sample_desk.market import (
    EURO_MOVE_PIPS,
    EURO_START_PIPS,
    GAP_MOVE_PPM,
    STEP_MOVE_PPM,
    STEPS,
    Market,
)

SECOND_MOVE_PPM = 50  # largest move of a second around the line between two steps
MILLION = 1_000_000
SESSIONS_MOST = 60


def extended_market(seed: int, sessions: tuple[date, ...], before: Market | None = None) -> Market:
    """Paths of the sessions, going on where `before` ends; each session is drawn by itself."""
    market = Market(paths=dict(before.paths), euro=dict(before.euro)) if before else Market()
    for underlying in UNDERLYINGS:
        spot = _last_close(market, underlying)
        for session in sessions:
            path = _path(Random(f"path {seed} {underlying.symbol} {session}"), spot)
            market.paths[underlying.symbol, session] = path
            spot = path[-1]
    euro = max(market.euro) if market.euro else None
    pips = int(market.euro[euro] * 100_000) if euro else EURO_START_PIPS
    for session in sessions:
        pips += Random(f"euro {seed} {session}").randint(-EURO_MOVE_PIPS, EURO_MOVE_PIPS)
        market.euro[session] = Decimal(pips) / 100_000
    return market


@dataclass(slots=True)
class SpotPaths:
    """Spot of each underlying at each second, from the market's paths."""

    seed: int
    market: Market
    hours: TradingHours
    seconds: dict[tuple[str, date], tuple[int, ...]] = field(default_factory=dict)
    opened: dict[date, tuple[int, int]] = field(default_factory=dict)

    def cents(self, underlying: Underlying, second: int, session: date) -> int:
        """The price at a second of the session (or before its open, or after its close)."""
        opens, closes = self.bounds(session)
        prices = self.seconds.get((underlying.symbol, session))
        if prices is None:
            prices = self._fill_in(underlying, session, closes - opens)
        return prices[min(max(second - opens, 0), closes - opens)]

    def bounds(self, session: date) -> tuple[int, int]:
        """Opening and close of the session as epoch seconds."""
        if session not in self.opened:
            calendar = self.hours.calendar
            opens, closes = calendar.session_open(session), calendar.session_close(session)
            self.opened[session] = int(opens.timestamp()), int(closes.timestamp())
        return self.opened[session]

    def knows(self, session: date) -> bool:
        """Whether the session has been drawn."""
        return (UNDERLYINGS[0].symbol, session) in self.market.paths

    def _fill_in(self, underlying: Underlying, session: date, length: int) -> tuple[int, ...]:
        if not self.knows(session):
            raise ValueError(f"session: expected one of the simulated ones, was {session}")
        path = self.market.paths[underlying.symbol, session]
        rng = Random(f"seconds {self.seed} {underlying.symbol} {session}")
        prices: list[int] = []
        for step in range(STEPS):
            first, last = length * step // STEPS, length * (step + 1) // STEPS
            prices += _bridge(rng, path[step], path[step + 1], last - first)
        prices.append(path[STEPS])
        told = self.seconds[underlying.symbol, session] = tuple(prices)
        return told


def epoch(moment: datetime) -> int:
    """Whole seconds of a moment."""
    return int(moment.timestamp())


def moment_of(second: int) -> datetime:
    """The moment of an epoch second."""
    return datetime.fromtimestamp(second, UTC)


def spot_contract_cents(paths: SpotPaths, contract: Contract, second: int, session: date) -> int:
    """Spot of what the contract is or is on."""
    if contract.underlying is None:
        raise ValueError(f"contract: expected an underlying, was {contract.symbol}")
    return paths.cents(contract.underlying, second, session)


def _bridge(rng: Random, start: int, end: int, length: int) -> list[int]:
    """Prices from start up to, but without, end: a line with a random walk pinned to 0 at both ends."""
    walk, place = [0], 0
    for _ in range(length):
        place += int(rng.random() * (2 * SECOND_MOVE_PPM + 1)) - SECOND_MOVE_PPM
        walk.append(place)
    prices = []
    for second in range(length):
        line = start * length + (end - start) * second
        away = walk[second] * length - walk[length] * second
        prices.append((line * MILLION + start * away + length * MILLION // 2) // (length * MILLION))
    return prices


def _path(rng: Random, close: int) -> tuple[int, ...]:
    path = [_moved(rng, close, GAP_MOVE_PPM)]
    for _ in range(STEPS):
        path.append(_moved(rng, path[-1], STEP_MOVE_PPM))
    return tuple(path)


def _moved(rng: Random, cents: int, most_ppm: int) -> int:
    return cents + cents * rng.randint(-most_ppm, most_ppm) // MILLION


def _last_close(market: Market, underlying: Underlying) -> int:
    days = [session for symbol, session in market.paths if symbol == underlying.symbol]
    return market.close_cents(underlying, max(days)) if days else underlying.start_cents
