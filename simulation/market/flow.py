"""Who trades when, in which direction and how much: all prints of a session, before their prices.

Two sorts of traders. Informed ones know where the underlying goes in the next minutes: they come before
moves, stay on one side, take at the touch, and some sweep several levels at once. Uninformed ones come with
the hour, follow each other for half a minute, and sometimes meet in the middle. prints.py adds the prices.

Drawn for a whole session at once and per print, not per contract: a chain of thousands of contracts costs no
more than what trades in it.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulation.market.chain import CALL, Chain, Ints
from simulation.market.mixing import Bits, Reals, mixed, mixed_more, units
from simulation.market.nature import nature_of
from simulation.market.paths import SpotPaths
from simulation.market.profile import FULL_MINUTES, MINUTE, trade_weights
from simulation.sample_desk.contracts import Underlying

INFORMED = 0.25  # of those who come
SWEEPS = 0.22  # of the informed
LEVELS_MOST = 4
MIDDLE = 0.33  # of the uninformed trade between bid and ask
SEES_AHEAD_S = 180
SURE_FROM = 0.35  # of a usual move of that time; with less they trade like everybody
HERD, HERD_S = 0.84, 30
CROWD_LEAST, CROWD_WAVE = 0.5, 1.5  # of a usual minute: some are empty, some are full; 1 in the mean
ODD, ROUND = 0.32, 0.76  # of share prints: below 100, exactly 100 (up to here)
LARGE = 0.003
OPENING_AUCTION, CLOSING_AUCTION = 0.015, 0.06  # of a session's volume
QUIET_TAIL = 0.25  # of a usual minute, after the bell of those that trade a quarter of an hour longer
SALT_FLOW, SALT_HERD, SALT_AUCTION = 161, 162, 163
PLAIN, ODD_LOT, SWEEP, OPENING, CLOSING = range(5)


@dataclass(frozen=True, slots=True)
class Flow:
    """Prints in the order of time; cell is 0 for a share, level how far behind the touch."""

    second: Ints
    cell: Ints
    size: Ints
    side: Ints
    level: Ints
    sort: Ints
    bits: Bits


def share_flow(seed: int, paths: SpotPaths, underlying: Underlying, session: date) -> Flow:
    """Prints of the share, with both auctions."""
    nature = nature_of(underlying)
    if not nature.share_prints or underlying.is_index:
        return _nothing()
    key = mixed(seed, underlying.conid, session.toordinal(), SALT_FLOW)
    minute, bits = _arrivals(key, paths, underlying, session, nature.share_prints, 0)
    opens, closes = paths.bounds(session)
    second = opens + minute * MINUTE + (bits >> np.uint64(50)).astype(np.int64) % MINUTE
    informed, side = _sides(seed, paths, underlying, session, second, bits)
    size = _share_sizes(bits, informed)
    flow = _swept(second, np.zeros_like(second), size, side, informed, bits)
    odd = (flow.sort == PLAIN) & (flow.size < 100)
    flow = Flow(
        flow.second, flow.cell, flow.size, flow.side, flow.level, np.where(odd, ODD_LOT, flow.sort), flow.bits
    )
    return _with_auctions(key, flow, opens, closes)


def option_flow(seed: int, paths: SpotPaths, chain: Chain) -> Flow:
    """Prints of the whole chain."""
    underlying, session = chain.underlying, chain.session
    key = mixed(seed, underlying.conid, session.toordinal(), SALT_FLOW, 1)
    opens, closes = paths.bounds(session)
    tail = (int(chain.closes.max()) - closes) // MINUTE
    minute, bits = _arrivals(key, paths, underlying, session, chain.nature.option_prints, tail)
    second = opens + minute * MINUTE + (bits >> np.uint64(50)).astype(np.int64) % MINUTE
    weights = np.cumsum(_popularity(chain, int(paths.path(underlying, session)[0])))
    wanted = units(mixed_more(bits, 1)) * weights[-1]
    cell = np.minimum(np.searchsorted(weights, wanted, side="right"), len(weights) - 1).astype(np.int64)
    informed, side = _sides(seed, paths, underlying, session, second, bits)
    expiries, strikes = len(chain.expiries), len(chain.strikes)
    is_call = cell // (expiries * strikes) == CALL
    side = np.where(is_call | (side == 0), side, -side)
    flow = _swept(second, cell, _option_sizes(bits, informed), side, informed, bits)
    expiry = flow.cell // strikes % expiries
    alive = flow.second < np.minimum(chain.closes, chain.last)[expiry]
    return _taken(flow, np.nonzero(alive)[0])


def _arrivals(
    key: int, paths: SpotPaths, underlying: Underlying, session: date, prints: int, tail: int
) -> tuple[Ints, Bits]:
    """Minute and random bits of everybody who comes: more at the bells and when it is hot."""
    weather, place = paths.weather(session), paths.places[underlying.symbol]
    minutes = weather.minutes
    usual = trade_weights(minutes) * (prints * minutes / FULL_MINUTES)
    usual = usual * (0.4 + 0.6 * weather.heat[place])
    if tail:
        usual = np.append(usual, np.full(tail, prints / FULL_MINUTES * QUIET_TAIL))
    draws = mixed_more(key, np.arange(len(usual), dtype=np.uint64))
    wave = units(draws)
    crowd = usual * (CROWD_LEAST + CROWD_WAVE * wave * wave) + units(mixed_more(draws, 1))
    minute = np.repeat(np.arange(len(usual)), crowd.astype(np.int64))
    return minute, mixed_more(key, np.arange(len(minute), dtype=np.uint64), 2)


def _sides(
    seed: int, paths: SpotPaths, underlying: Underlying, session: date, second: Ints, bits: Bits
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Ints]:
    """Who knows, and who buys (1), sells (-1) or meets in the middle (0), as seen from the underlying."""
    opens, closes = paths.bounds(session)
    path = paths.path(underlying, session)
    away = np.clip(second - opens, 0, closes - opens)
    later = np.minimum(away + SEES_AHEAD_S, closes - opens)
    usual = nature_of(underlying).daily_deviation * 0.088  # of three minutes: root of 3 / 390
    move = (path[later] - path[away]) / (path[away] * usual)
    informed = (units(mixed_more(bits, 2)) < INFORMED) & (np.abs(move) > SURE_FROM)
    key = mixed(seed, underlying.conid, SALT_HERD)
    herd = (mixed_more(key, second // HERD_S) & np.uint64(1)).astype(np.int64) * 2 - 1
    draw = units(mixed_more(bits, 3))
    followed = np.where(draw < HERD, herd, -herd)
    middle = units(mixed_more(bits, 4)) < MIDDLE
    plain = np.where(middle, 0, followed)
    return informed, np.where(informed, np.where(move > 0, 1, -1), plain).astype(np.int64)


def _popularity(chain: Chain, spot_cents: int) -> Reals:
    """How often a contract trades: near the money, near in time, out of the money, round; 0 if not listed."""
    strikes = chain.strikes
    away = np.abs(strikes - spot_cents) / spot_cents
    days = np.maximum(chain.later[:, None] + 1.0, 1.0)
    standard = away / (chain.nature.daily_deviation * np.sqrt(days))
    near = 1.0 / (1.0 + standard * standard * standard * standard * 0.5 + standard * standard)
    time = 1.0 / (1.0 + chain.later[:, None] * 0.45)
    whole = np.where(strikes % (chain.underlying.strike_step_cents * 5) == 0, 1.6, 1.0)
    base = near * time * whole
    calls = np.where(strikes >= spot_cents, 1.0, 0.35)
    puts = np.where(strikes <= spot_cents, 1.0, 0.35)
    listed = np.array([item is not None for item in chain.contracts])
    told: Reals = np.stack([base * calls, base * puts]).ravel() * listed
    return told


def _share_sizes(bits: Bits, informed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ints:
    """Odd lots, hundreds, some of more, few very large ones."""
    sort, draw = units(mixed_more(bits, 5)), units(mixed_more(bits, 6))
    odd = 1 + (draw * 99).astype(np.int64)
    more = 100 * (2 + (draw * draw * draw * 9).astype(np.int64))
    large = 100 * (40 + (draw * draw * 260).astype(np.int64))
    size = np.where(sort < ODD, odd, np.where(sort < ROUND, 100, more))
    size = np.where(informed & (sort >= ODD), size + 100, size)
    return np.where(sort > 1.0 - LARGE, large, size).astype(np.int64)


def _option_sizes(bits: Bits, informed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ints:
    """Mostly one to ten contracts, more by those who know, few blocks."""
    sort, draw = units(mixed_more(bits, 5)), units(mixed_more(bits, 6))
    small = 1 + (draw * draw * 10).astype(np.int64)
    size = np.where(informed, small * 2 + 3, small)
    return np.where(sort > 1.0 - LARGE, 100 + (draw * 400).astype(np.int64), size).astype(np.int64)


def _swept(
    second: Ints,
    cell: Ints,
    size: Ints,
    side: Ints,
    informed: np.ndarray[tuple[int], np.dtype[np.bool_]],
    bits: Bits,
) -> Flow:
    """Order by time; sweeps become one print per level, the touch first."""
    draw = mixed_more(bits, 7)
    sweeps = informed & (units(draw) < SWEEPS)
    levels = np.where(sweeps, 2 + (draw & np.uint64(0xFF)).astype(np.int64) % (LEVELS_MOST - 1), 1)
    order = np.argsort(second, kind="stable")
    times = levels[order]
    parent = np.repeat(order, times)
    starts = np.repeat(np.cumsum(times) - times, times)
    level = np.arange(len(parent)) - starts
    sort = np.where(sweeps[parent], SWEEP, PLAIN)
    return Flow(
        second[parent], cell[parent], size[parent], side[parent], level, sort, mixed_more(bits[parent], level)
    )


def _with_auctions(key: int, flow: Flow, opens: int, closes: int) -> Flow:
    """One print in the first second and one in the last, at one price, as large as the session was busy."""
    volume = int(flow.size.sum())
    wave = 0.6 + 0.8 * float(units(mixed_more(key, SALT_AUCTION))[0])
    first = max(1, int(volume * OPENING_AUCTION * wave / 100)) * 100
    last = max(1, int(volume * CLOSING_AUCTION * wave / 100)) * 100
    here = np.array([0], dtype=np.int64)
    ends = np.array([mixed(key, 1), mixed(key, 2)], dtype=np.uint64)
    last_place = np.searchsorted(flow.second, closes)
    parts = []
    for values, opening, closing in (
        (flow.second, opens, closes - 1),
        (flow.cell, 0, 0),
        (flow.size, first, last),
        (flow.side, 0, 0),
        (flow.level, 0, 0),
        (flow.sort, OPENING, CLOSING),
    ):
        parts.append(np.concatenate([here + opening, values[:last_place], here + closing]))
    bits = np.concatenate([ends[:1], flow.bits[:last_place], ends[1:]])
    return Flow(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], bits)


def _taken(flow: Flow, places: Ints) -> Flow:
    return Flow(
        flow.second[places],
        flow.cell[places],
        flow.size[places],
        flow.side[places],
        flow.level[places],
        flow.sort[places],
        flow.bits[places],
    )


def _nothing() -> Flow:
    none = np.zeros(0, dtype=np.int64)
    return Flow(none, none, none, none, none, none, none.astype(np.uint64))
