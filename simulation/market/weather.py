"""The market's state from minute to minute: prices of all underlyings, and the state of their surfaces.

Returns come from factors: the market, sectors, and what is each one's own. Each factor's variance clusters
(a GARCH step a minute) on top of the day's shape; jumps come at drawn moments and with news. The level of
implied variance goes up when the factor falls. All sessions are drawn in order when the world is made, a few
hundred small steps each, so that any moment can be asked later without a history. Sums, products, quotients
and roots only: see exact.py. Seconds between the minutes are filled in by paths.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

import numpy as np

from simulation.market.mixing import Bits, Reals, bell, bells, mixed, mixed_more, unit, units
from simulation.market.nature import MARKET_VOLATILITY, SECTOR_VOLATILITY, SESSIONS_A_YEAR, nature_of
from simulation.market.news import NIGHT, News
from simulation.market.profile import FULL_MINUTES, NIGHT_SHARE, move_weights
from simulation.sample_desk.contracts import Underlying

SECTORS = len(SECTOR_VOLATILITY)
CALM, SHOCK, MEMORY = 0.03, 0.10, 0.87  # variance of the next minute: rest, square of this one, this one
CLUSTER = (0.25, 7.0)  # bounds of a factor's variance in units of its usual one
MARKET_JUMPS, OWN_JUMPS = 0.06, 0.15  # unscheduled ones of a session
JUMP_LEAST, JUMP_MOST = 0.25, 0.9  # in deviations of the factor's day
LEVEL_RETURN = 0.16  # what a fall of one daily deviation adds to the level of implied variance
LEVEL_PULL, LEVEL_NOISE = 0.003, 0.004  # a minute
LEVEL = (0.45, 3.5)  # bounds of the level; 1 is usual
SKEW_NOISE, CURVE_NOISE, SHAPE_PULL = 0.004, 0.004, 0.01
SKEW = (-0.85, 0.10)
CURVE = (0.45, 1.05)
NIGHT_DEVIATION = sqrt(NIGHT_SHARE)
SALT_RETURN, SALT_GAP, SALT_JUMP, SALT_NEWS_MOVE = 1128, 122, 123, 124
SALT_LEVEL, SALT_SKEW, SALT_CURVE, SALT_SECOND = 125, 126, 127, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A move at one second of a minute, as a return of the underlying."""

    minute: int
    second: int
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """Why it jumped: a factor's move at one second of a minute (or NIGHT), with its news where it was due."""

    minute: int
    second: int
    factor: int
    size: float
    news: News | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWeather:
    """One session: a row per underlying, a column per minute (and one for the close where it is a state).

    knots: prices in cents. heat: root of the variance in units of the minute's usual one. level, skew and
    curve: the surface's state. factor_heat: the same root by factor, for the noise of seconds. shocks: what
    the jumps came of, and the news of the night.
    """

    session: date
    minutes: int
    knots: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    heat: Reals
    factor_heat: Reals
    level: Reals
    skew: Reals
    curve: Reals
    jumps: tuple[tuple[Jump, ...], ...]
    shocks: tuple[Shock, ...] = ()


@dataclass(frozen=True, slots=True)
class Loadings:
    """Deviations of a day by factor (market, sectors, own of each), and how underlyings depend on them."""

    deviation: Reals
    beta: Reals
    sector: np.ndarray[tuple[int], np.dtype[np.int64]]
    sector_beta: Reals
    factor_ids: Bits
    skew: Reals
    curve: Reals

    def returns(self, factors: Reals) -> Reals:
        """Returns of the underlyings."""
        sectors = self.sector_beta * factors[self.sector]
        told: Reals = self.beta * factors[0] + sectors + factors[1 + SECTORS :]
        return told

    def of_shock(self, shock: Shock) -> Reals:
        """What one shock is for each underlying."""
        factors = np.zeros(len(self.deviation))
        factors[shock.factor] = shock.size
        return self.returns(factors)


def loadings(underlyings: Sequence[Underlying]) -> Loadings:
    """The factor model of some underlyings; a factor's numbers do not depend on which others there are."""
    natures = [nature_of(underlying) for underlying in underlyings]
    yearly = [MARKET_VOLATILITY, *SECTOR_VOLATILITY, *(nature.own for nature in natures)]
    ids = [*range(1 + SECTORS), *(underlying.conid for underlying in underlyings)]
    return Loadings(
        deviation=np.array(yearly) / np.sqrt(np.array(SESSIONS_A_YEAR)),
        beta=np.array([nature.beta for nature in natures]),
        sector=np.array([1 + nature.sector for nature in natures], dtype=np.int64),
        sector_beta=np.array([nature.sector_beta for nature in natures]),
        factor_ids=np.array(ids, dtype=np.uint64),
        skew=np.array([nature.skew for nature in natures]),
        curve=np.array([nature.curvature for nature in natures]),
    )


@dataclass(slots=True)
class _State:
    """What one session hands to the next."""

    spot: Reals
    variance: Reals
    level: Reals
    skew: Reals
    curve: Reals


def drawn_weather(
    seed: int,
    sessions: Sequence[date],
    minutes: Sequence[int],
    underlyings: Sequence[Underlying],
    closes: Sequence[int],
    news: Sequence[News],
) -> tuple[SessionWeather, ...]:
    """The weather of all sessions, from the closes before them on."""
    model = loadings(underlyings)
    count = len(model.deviation)
    state = _State(
        spot=np.array(closes, dtype=np.float64),
        variance=np.ones(count),
        level=np.ones(count),
        skew=model.skew.copy(),
        curve=model.curve.copy(),
    )
    told = []
    for place, session in enumerate(sessions):
        own = [item for item in news if item.session == place]
        told.append(_session(seed, session, minutes[place], underlyings, model, state, own))
    return tuple(told)


def _session(
    seed: int,
    session: date,
    minutes: int,
    underlyings: Sequence[Underlying],
    model: Loadings,
    state: _State,
    news: Sequence[News],
) -> SessionWeather:
    key = mixed(seed, session.toordinal())
    shocks: list[Shock] = []
    state.spot = state.spot * (1.0 + model.returns(_gap(key, model, underlyings, news, shocks)))
    draws = bells(mixed_more(key, _grid(model.factor_ids, minutes), SALT_RETURN))
    jumps = _jumps(key, minutes, model, underlyings, news, shocks)
    deviations = np.sqrt(move_weights(minutes) * (1.0 - NIGHT_SHARE) * minutes / FULL_MINUTES)
    spots, heats, levels = [state.spot], [], [_levels(model, state)]
    for minute in range(minutes):
        heat = np.sqrt(state.variance)
        move = model.deviation * (deviations[minute] * heat * draws[:, minute])
        jumped = jumps[:, minute]
        state.spot = state.spot * (1.0 + model.returns(move + jumped))
        spots.append(state.spot)
        heats.append(heat)
        _cluster(state, draws[:, minute], jumped != 0.0)
        _move_level(state, model, move + jumped, key, minute)
        levels.append(_levels(model, state))
    knots = np.rint(np.stack(spots, axis=1)).astype(np.int64)
    state.spot = knots[:, -1].astype(np.float64)
    factor_heat = np.stack(heats, axis=1)
    skew, curve = _shapes(key, minutes, model, state)
    return SessionWeather(
        session=session,
        minutes=minutes,
        knots=knots,
        heat=_heat_of(model, factor_heat),
        factor_heat=factor_heat,
        level=np.stack(levels, axis=1),
        skew=skew,
        curve=curve,
        jumps=_by_underlying(jumps, model, len(underlyings), shocks),
        shocks=tuple(shocks),
    )


def _grid(ids: Bits, minutes: int) -> Bits:
    """Addresses of (factor, minute)."""
    told: Bits = ids[:, None] * np.uint64(1_024) + np.arange(minutes).astype(np.uint64)
    return told


def _cluster(state: _State, draw: Reals, jumped: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    """Variance of the next minute: big moves are followed by big moves."""
    shocks = np.where(jumped, 9.0, draw * draw)
    variance = CALM + (SHOCK * shocks + MEMORY) * state.variance
    state.variance = np.minimum(np.maximum(variance, CLUSTER[0]), CLUSTER[1])


def _move_level(state: _State, model: Loadings, move: Reals, key: int, minute: int) -> None:
    """Implied variance by factor: up when it falls, pulled to what has been seen lately, a little noise."""
    days = np.where(model.deviation > 0.0, move / np.maximum(model.deviation, 1e-12), 0.0)
    goal = 0.7 + 0.3 * state.variance
    noise = bells(mixed_more(key, model.factor_ids, minute, SALT_LEVEL))
    level = state.level + LEVEL_PULL * (goal - state.level) - LEVEL_RETURN * days + LEVEL_NOISE * noise
    state.level = np.minimum(np.maximum(level, LEVEL[0]), LEVEL[1])


def _parts(model: Loadings) -> tuple[Reals, Reals, Reals]:
    """Variance of each underlying's day by market, sector, own."""
    market, sector = model.beta * model.deviation[0], model.sector_beta * model.deviation[model.sector]
    own = model.deviation[1 + SECTORS :]
    return market * market, sector * sector, own * own


def _blend(model: Loadings, market: Reals, sector: Reals, own: Reals) -> Reals:
    """A mean by factor, weighted by the variance that the factor brings."""
    of_market, of_sector, of_own = _parts(model)
    total = of_market + of_sector + of_own
    return (of_market * market + of_sector * sector + of_own * own) / total


def _levels(model: Loadings, state: _State) -> Reals:
    own = state.level[1 + SECTORS :]
    return _blend(model, np.full(len(own), state.level[0]), state.level[model.sector], own)


def _heat_of(model: Loadings, factor_heat: Reals) -> Reals:
    """Root of the underlyings' variance, minute by minute."""
    square = factor_heat * factor_heat
    of_market, of_sector, of_own = (part[:, None] for part in _parts(model))
    own = square[1 + SECTORS :]
    total = of_market + of_sector + of_own
    told: Reals = (of_market * square[0] + of_sector * square[model.sector] + of_own * own) / total
    return np.sqrt(told)


def _shapes(key: int, minutes: int, model: Loadings, state: _State) -> tuple[Reals, Reals]:
    """Skew and curvature at each minute, wandering around their rest within the bounds of no arbitrage."""
    ids = model.factor_ids[1 + SECTORS :]
    skew_noise = bells(mixed_more(key, _grid(ids, minutes), SALT_SKEW)) * SKEW_NOISE
    curve_noise = bells(mixed_more(key, _grid(ids, minutes), SALT_CURVE)) * CURVE_NOISE
    skews, curves = [state.skew], [state.curve]
    for minute in range(minutes):
        skew = state.skew + SHAPE_PULL * (model.skew - state.skew) + skew_noise[:, minute]
        curve = state.curve + SHAPE_PULL * (model.curve - state.curve) + curve_noise[:, minute]
        state.skew = np.minimum(np.maximum(skew, SKEW[0]), SKEW[1])
        state.curve = np.minimum(np.maximum(curve, CURVE[0]), CURVE[1])
        skews.append(state.skew)
        curves.append(state.curve)
    return np.stack(skews, axis=1), np.stack(curves, axis=1)


def _gap(
    key: int, model: Loadings, underlyings: Sequence[Underlying], news: Sequence[News], shocks: list[Shock]
) -> Reals:
    """Returns of the factors between the close before and the open; the news of the night is noted."""
    usual = bells(mixed_more(key, model.factor_ids, SALT_GAP)) * NIGHT_DEVIATION
    gap = model.deviation * usual
    for item in news:
        if item.minute == NIGHT:
            place = _factor_of(item, underlyings)
            size = _news_move(key, item, model, place)
            gap[place] = gap[place] + size
            shocks.append(Shock(minute=NIGHT, second=0, factor=place, size=size, news=item))
    return gap


def _factor_of(item: News, underlyings: Sequence[Underlying]) -> int:
    if not item.symbol:
        return 0
    symbols = [underlying.symbol for underlying in underlyings]
    return 1 + SECTORS + symbols.index(item.symbol)


def _news_move(key: int, item: News, model: Loadings, place: int) -> float:
    bits = int(model.factor_ids[place])
    return float(model.deviation[place]) * item.deviation * bell(key, bits, item.minute + 1, SALT_NEWS_MOVE)


def _jumps(
    key: int,
    minutes: int,
    model: Loadings,
    underlyings: Sequence[Underlying],
    news: Sequence[News],
    shocks: list[Shock],
) -> Reals:
    """Jumps by factor and minute; what they came of is noted."""
    told = np.zeros((len(model.deviation), minutes))
    chance = np.full(len(model.deviation), OWN_JUMPS)
    chance[0], chance[1 : 1 + SECTORS] = MARKET_JUMPS, 0.0
    hits = units(mixed_more(key, _grid(model.factor_ids, minutes), SALT_JUMP)) < chance[:, None] / minutes
    scheduled = {item.minute for item in news}
    for factor, minute in zip(*np.nonzero(hits), strict=True):
        bits = mixed(key, int(model.factor_ids[factor]), int(minute), SALT_JUMP, 1)
        size = JUMP_LEAST + (JUMP_MOST - JUMP_LEAST) * unit(bits)
        told[factor, minute] = float(model.deviation[factor]) * size * (1 if bits & 1 else -1)
        if told[factor, minute]:
            second = _second_of(key, int(minute), scheduled)
            move = float(told[factor, minute])
            shocks.append(Shock(minute=int(minute), second=second, factor=int(factor), size=move, news=None))
    for item in news:
        if item.minute != NIGHT:
            place = _factor_of(item, underlyings)
            size = _news_move(key, item, model, place)
            told[place, item.minute] = told[place, item.minute] + size
            shocks.append(Shock(minute=item.minute, second=1, factor=place, size=size, news=item))
    return told


def _second_of(key: int, minute: int, scheduled: set[int]) -> int:
    """When in its minute it jumps: what is scheduled is told on the minute."""
    return 1 if minute in scheduled else 1 + mixed(key, minute, SALT_SECOND) % 58


def _by_underlying(
    told: Reals, model: Loadings, count: int, shocks: Sequence[Shock]
) -> tuple[tuple[Jump, ...], ...]:
    seconds = {shock.minute: shock.second for shock in shocks}
    found: list[list[Jump]] = [[] for _ in range(count)]
    for minute in np.nonzero((told != 0.0).any(axis=0))[0]:
        for place, size in enumerate(model.returns(told[:, minute])):
            if size:
                jump = Jump(minute=int(minute), second=seconds[int(minute)], size=float(size))
                found[place].append(jump)
    return tuple(tuple(jumps) for jumps in found)
