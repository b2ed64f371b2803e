"""Spot prices to the second: the weather's minutes, filled in by bridges between them.

Whole cents. The noise of seconds is made of the same factors as the minutes, so that underlyings move
together within a minute too. A session's seconds are filled in once per underlying; what is asked and when
does not matter. Before the first second of a session its opening price stands, after the last its close.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from simulation.market.hours import TradingHours
from simulation.market.mixing import Reals, bells, mixed, mixed_more
from simulation.market.nature import nature_of
from simulation.market.profile import FULL_MINUTES, MINUTE, NIGHT_SHARE, move_weights
from simulation.market.weather import SECTORS, Loadings, SessionWeather, loadings
from simulation.sample_desk.contracts import Underlying
from simulation.sample_desk.market import STEPS, Market

Cents = np.ndarray[tuple[int, ...], np.dtype[np.int32]]
Knots = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
SESSIONS_MOST = 60
PAST_NOISE_PPM = 150  # deviation of a minute around the line between two quarter hours of the sample desk
NOISES_KEPT = 3 * (1 + SECTORS)
SALT_NOISE, SALT_PAST = 131, 132


@dataclass(slots=True)
class SpotPaths:
    """Spot of each underlying at each second."""

    seed: int
    hours: TradingHours
    underlyings: tuple[Underlying, ...]
    drawn: Mapping[date, SessionWeather]
    market: Market
    places: dict[str, int] = field(init=False)
    model: Loadings = field(init=False)
    seconds: dict[tuple[str, date], Cents] = field(default_factory=dict)
    past: dict[date, SessionWeather] = field(default_factory=dict)
    noises: dict[tuple[int, date], Reals] = field(default_factory=dict)
    opened: dict[date, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = {underlying.symbol: place for place, underlying in enumerate(self.underlyings)}
        self.model = loadings(self.underlyings)

    def cents(self, underlying: Underlying, second: int, session: date) -> int:
        """The price at a second of the session (or before its open, or after its close)."""
        opens, closes = self.bounds(session)
        return int(self.path(underlying, session)[min(max(second - opens, 0), closes - opens)])

    def path(self, underlying: Underlying, session: date) -> Cents:
        """All prices of a session, from its first second to its close."""
        prices = self.seconds.get((underlying.symbol, session))
        if prices is None:
            prices = self.seconds[underlying.symbol, session] = self._fill_in(underlying, session)
        return prices

    def bounds(self, session: date) -> tuple[int, int]:
        """Opening and close of the session as epoch seconds."""
        if session not in self.opened:
            calendar = self.hours.calendar
            opens, closes = calendar.session_open(session), calendar.session_close(session)
            self.opened[session] = int(opens.timestamp()), int(closes.timestamp())
        return self.opened[session]

    def knows(self, session: date) -> bool:
        """Whether the session has prices."""
        return session in self.drawn or (self.underlyings[0].symbol, session) in self.market.paths

    def weather(self, session: date) -> SessionWeather:
        """The session's weather; of a session of the sample desk's month it is a calm one along its path."""
        found = self.drawn.get(session) or self.past.get(session)
        if found is not None:
            return found
        if not self.knows(session):
            raise ValueError(f"session: expected one of the simulated ones, was {session}")
        opens, closes = self.bounds(session)
        told = self.past[session] = self._past(session, (closes - opens) // MINUTE)
        return told

    def _fill_in(self, underlying: Underlying, session: date) -> Cents:
        weather, place = self.weather(session), self.places[underlying.symbol]
        knots = weather.knots[place].astype(np.float64)
        starts, moves = knots[:-1, None], (knots[1:] - knots[:-1])[:, None]
        part = np.arange(MINUTE) / MINUTE
        steps = np.zeros((weather.minutes, MINUTE))
        for jump in weather.jumps[place]:
            size = knots[jump.minute] * jump.size
            steps[jump.minute, jump.second :] = steps[jump.minute, jump.second :] + size
            steps[jump.minute] = steps[jump.minute] - size * part
        prices = starts + moves * part + steps + starts * self._bridges(underlying, session, weather)
        told: Cents = np.rint(np.append(prices.ravel(), knots[-1])).astype(np.int32)
        told[-2] = told[-1]  # the closing auction has found its price
        return told

    def _bridges(self, underlying: Underlying, session: date, weather: SessionWeather) -> Reals:
        """Walks of a minute that begin and end at 0, as returns."""
        place = self.places[underlying.symbol]
        noise = self.model.beta[place] * self._noise(0, session, weather)
        if self.model.sector_beta[place]:
            sector = self._noise(int(self.model.sector[place]), session, weather)
            noise = noise + self.model.sector_beta[place] * sector
        if self.model.deviation[1 + SECTORS + place]:
            noise = noise + self._drawn_noise(1 + SECTORS + place, session, weather)
        walks = np.cumsum(noise, axis=1)
        before = np.concatenate([np.zeros((weather.minutes, 1)), walks[:, :-1]], axis=1)
        told: Reals = before - walks[:, -1:] * (np.arange(MINUTE) / MINUTE)
        return told

    def _noise(self, factor: int, session: date, weather: SessionWeather) -> Reals:
        """Second moves of the market or a sector, kept because many need them."""
        found = self.noises.get((factor, session))
        if found is None:
            if len(self.noises) >= NOISES_KEPT:
                self.noises.clear()
            found = self.noises[factor, session] = self._drawn_noise(factor, session, weather)
        return found

    def _drawn_noise(self, factor: int, session: date, weather: SessionWeather) -> Reals:
        minutes = weather.minutes
        scale = np.sqrt(move_weights(minutes) * ((1.0 - NIGHT_SHARE) * minutes / FULL_MINUTES / MINUTE))
        scale = scale * weather.factor_heat[factor] * self.model.deviation[factor]
        key = mixed(self.seed, session.toordinal(), int(self.model.factor_ids[factor]), SALT_NOISE)
        draws = bells(mixed_more(key, np.arange(minutes * MINUTE, dtype=np.uint64)))
        told: Reals = scale[:, None] * draws.reshape(minutes, MINUTE)
        return told

    def _past(self, session: date, minutes: int) -> SessionWeather:
        """Knots along the sample desk's quarter hours, everything else at rest."""
        count = len(self.underlyings)
        ones = np.ones((count, minutes + 1))
        natures = [nature_of(underlying) for underlying in self.underlyings]
        knots = [self._past_knots(underlying, session, minutes) for underlying in self.underlyings]
        return SessionWeather(
            session=session,
            minutes=minutes,
            knots=np.stack(knots),
            heat=np.full((count, minutes), 0.5),
            factor_heat=np.full((len(self.model.deviation), minutes), 0.5),
            level=ones,
            skew=ones * np.array([nature.skew for nature in natures])[:, None],
            curve=ones * np.array([nature.curvature for nature in natures])[:, None],
            jumps=((),) * count,
        )

    def _past_knots(self, underlying: Underlying, session: date, minutes: int) -> Knots:
        path = self.market.paths.get((underlying.symbol, session), (underlying.start_cents,) * (STEPS + 1))
        place = np.arange(minutes + 1) * (STEPS / minutes)
        step = np.minimum(place.astype(np.int64), STEPS - 1)
        steps = np.array(path, dtype=np.float64)
        line = steps[step] + (steps[step + 1] - steps[step]) * (place - step)
        key = mixed(self.seed, session.toordinal(), underlying.conid, SALT_PAST)
        noise = bells(mixed_more(key, np.arange(minutes + 1, dtype=np.uint64))) * PAST_NOISE_PPM / 1_000_000
        noise = np.where(place == step, 0.0, noise)
        noise[-1] = 0.0
        told: Knots = np.rint(line * (1.0 + noise)).astype(np.int64)
        return told


def stepped(paths: SpotPaths, session: date) -> dict[tuple[str, date], tuple[int, ...]]:
    """The session's prices at the sample desk's quarter hours, which statements and its trader look at."""
    opens, closes = paths.bounds(session)
    length = closes - opens
    told = {}
    for underlying in paths.underlyings:
        if length == FULL_MINUTES * MINUTE:
            knots = paths.weather(session).knots[paths.places[underlying.symbol]]
            prices = knots[:: FULL_MINUTES // STEPS]
        else:
            prices = paths.path(underlying, session)[[length * step // STEPS for step in range(STEPS + 1)]]
        told[underlying.symbol, session] = tuple(int(price) for price in prices)
    return told


def epoch(moment: datetime) -> int:
    """Whole seconds of a moment."""
    return int(moment.timestamp())


def moment_of(second: int) -> datetime:
    """The moment of an epoch second."""
    return datetime.fromtimestamp(second, UTC)
