"""Fair prices and touches of options and shares, many at once; sizes are not known here.

Three questions with one answer: a whole chain at one second, one contract over some seconds, and pairs of
contract and second. They run the same operations on the same numbers, so their bits agree.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulation.market.chain import CALL, Cell, Chain, Chains, Ints
from simulation.market.exact import ln
from simulation.market.mixing import Bits, Reals, mixed, mixed_more
from simulation.market.nature import RATE
from simulation.market.paths import SpotPaths
from simulation.market.profile import FULL_MINUTES, MINUTE, NIGHT_SHARE, variance_left
from simulation.market.rules import MarketRule
from simulation.market.surface import Slice, american, at_the_money, priced
from simulation.sample_desk.contracts import Underlying

YEAR_S = 31_536_000.0  # 365 days
LEAST_SESSIONS = 0.0006  # what is left of an option in its last seconds
WIDTH_HOLDS_S = 7
SPREAD_OF_PRICE = 0.009
SPREAD_OF_SPOT = 0.00006  # a maker's cost of hedging, of the spot for a delta of one
SPREAD_BY_EXPIRY = 0.12  # wider by this for each expiry further out
SHARE_SPREAD_EVERY_CENTS = 40_000.0  # a cent more for each 400 dollars
SALT_WIDTH, SALT_SHARE = 151, 152


@dataclass(frozen=True, slots=True)
class State:
    """The underlying at one or more seconds (last axis)."""

    spot: Reals
    left: Reals
    level: Reals
    skew: Reals
    curve: Reals
    minute: Ints


@dataclass(slots=True)
class Pricing:
    """Prices out of paths, weather and chains."""

    seed: int
    paths: SpotPaths
    chains: Chains

    def state(self, underlying: Underlying, session: date, seconds: Ints) -> State:
        """Spot, variance left today and surface state; between minutes on the line from one to the next."""
        opens, closes = self.paths.bounds(session)
        weather, place = self.paths.weather(session), self.paths.places[underlying.symbol]
        away = np.clip(seconds - opens, 0, closes - opens)
        minute = np.minimum(away // MINUTE, weather.minutes - 1)
        part = (away - minute * MINUTE) / MINUTE
        share = (1.0 - NIGHT_SHARE) * weather.minutes / FULL_MINUTES

        def between(knots: Reals) -> Reals:
            low = knots[minute]
            told: Reals = low + (knots[minute + 1] - low) * part
            return told

        return State(
            spot=self.paths.path(underlying, session)[away].astype(np.float64),
            left=between(variance_left(weather.minutes)) * share,
            level=between(weather.level[place]),
            skew=between(weather.skew[place]),
            curve=between(weather.curve[place]),
            minute=away // MINUTE,
        )

    def sliced(self, chain: Chain, seconds: Ints, rows: slice) -> tuple[Slice, State]:
        """The surface at some seconds, for some expiries: arrays of expiries x seconds."""
        state = self.state(chain.underlying, chain.session, seconds)
        sessions = state.left + chain.later[rows, None] + LEAST_SESSIONS
        years = np.maximum(chain.last[rows, None] - seconds, 0) / YEAR_S
        theta = at_the_money(
            chain.nature.daily_variance, sessions, state.level, chain.news[rows][:, state.minute]
        )
        discount = 1.0 / (1.0 + RATE * years)
        forward = state.spot * ((1.0 + RATE * years) / (1.0 + chain.nature.dividend * years))
        return Slice(forward, ln(forward), discount, theta, state.skew, state.curve), state

    def fair(self, chain: Chain, seconds: Ints, strikes: Ints, rows: slice) -> tuple[Reals, Reals, Reals]:
        """Fair calls and puts in cents by expiry, and the spot; strikes and seconds are pairs or one."""
        at, state = self.sliced(chain, seconds, rows)
        cents = chain.strikes[strikes]
        told = priced(at, cents, chain.log_strikes[strikes])
        intrinsic = np.maximum(state.spot - cents, 0.0), np.maximum(cents - state.spot, 0.0)
        over = seconds >= chain.last[rows, None]
        calls, puts = (
            np.where(over, own, price) for price, own in zip((told.calls, told.puts), intrinsic, strict=True)
        )
        if chain.is_european:
            return calls, puts, state.spot
        return american(calls, intrinsic[0]), american(puts, intrinsic[1]), state.spot

    def fair_of(self, chain: Chain, cell: Cell, seconds: Ints) -> tuple[Reals, Reals]:
        """Fair price of one contract at some seconds, and the spot."""
        first = cell.expiry if chain.is_european else 0
        rows = slice(first, cell.expiry + 1)
        both = self.fair(chain, seconds, np.array([cell.strike]), rows)
        return both[0 if cell.right == CALL else 1][-1], both[2]

    def touches_of(self, chain: Chain, cell: Cell, seconds: Ints) -> tuple[Reals, Ints, Ints]:
        """Fair price, bid and ask of one contract at some seconds."""
        fair, spot = self.fair_of(chain, cell, seconds)
        flat = (cell.right * len(chain.expiries) + cell.expiry) * len(chain.strikes) + cell.strike
        flicker = _flicker(chain.bits[flat : flat + 1], seconds)
        bid, ask = touched(chain.rule, fair, _width(chain, fair, spot, cell.expiry, flicker))
        return fair, bid, ask

    def touches_at(self, chain: Chain, second: int) -> tuple[Reals, Ints, Ints]:
        """Fair price, bid and ask of the whole chain at one second: right x expiry x strike."""
        seconds = np.array([second])
        rows, strikes = slice(0, len(chain.expiries)), np.arange(len(chain.strikes))
        calls, puts, spot = self.fair(chain, seconds, strikes, rows)
        fair = np.stack((calls, puts))
        flicker = _flicker(chain.bits, seconds).reshape(chain.shape)
        rank = np.arange(len(chain.expiries))[:, None]
        bid, ask = touched(chain.rule, fair, _width(chain, fair, spot, rank, flicker))
        return fair, bid, ask

    def touches_of_pairs(self, chain: Chain, flats: Ints, seconds: Ints) -> tuple[Ints, Ints]:
        """Bid and ask of contracts, each at its own second."""
        _, expiries, strikes = chain.shape
        right, rest = flats // (expiries * strikes), flats % (expiries * strikes)
        expiry = rest // strikes
        calls, puts, spot = self.fair(chain, seconds, rest % strikes, slice(0, expiries))
        pair = np.arange(len(flats))
        fair = np.where(right == CALL, calls[expiry, pair], puts[expiry, pair])
        width = _width(chain, fair, spot, expiry, _flicker(chain.bits[flats], seconds))
        return touched(chain.rule, fair, width)

    def share_touches(self, underlying: Underlying, session: date, seconds: Ints) -> tuple[Ints, Ints]:
        """Bid and ask of the share itself in regular hours: some cents around the spot."""
        opens, closes = self.paths.bounds(session)
        away = np.clip(seconds - opens, 0, closes - opens)
        weather, place = self.paths.weather(session), self.paths.places[underlying.symbol]
        spot = self.paths.path(underlying, session)[away].astype(np.int64)
        heat = weather.heat[place][np.minimum(away // MINUTE, weather.minutes - 1)]
        early = 1.0 + 2.0 * (away < 15 * MINUTE)  # the first quarter of an hour is wider
        key = mixed(self.seed, underlying.conid, SALT_SHARE)
        draw = mixed_more(key, seconds // 2) & np.uint64(255)
        usual = 1.0 + spot / SHARE_SPREAD_EVERY_CENTS
        width = np.maximum(np.rint(usual * early * heat * (0.5 + draw.astype(np.float64) / 128.0)), 1.0)
        width = width.astype(np.int64)
        bid = spot - width // 2 - (draw & np.uint64(1)).astype(np.int64) * (width % 2)
        return bid, bid + width


def touched(rule: MarketRule, fair: Reals, width: Reals) -> tuple[Ints, Ints]:
    """Rounded outwards to allowed prices, so that the fair price is between; a bid below one step is none."""
    bid = np.maximum(downward(rule, np.floor(fair - width * 0.5).astype(np.int64)), 0)
    ask = np.floor(fair + width * 0.5).astype(np.int64) + 1
    ask = upward(rule, np.maximum(upward(rule, ask), bid + steps_at(rule, bid)))
    return bid, ask


def steps_at(rule: MarketRule, cents: Ints) -> Ints:
    """Increment at prices."""
    told = np.full(cents.shape, rule.increments[0][1], dtype=np.int64)
    for low, step in rule.increments[1:]:
        told = np.where(np.abs(cents) >= low, step, told)
    return told


def downward(rule: MarketRule, cents: Ints) -> Ints:
    """The nearest allowed prices not above."""
    step = steps_at(rule, cents)
    return cents // step * step


def upward(rule: MarketRule, cents: Ints) -> Ints:
    """The nearest allowed prices not below."""
    step = steps_at(rule, cents)
    return -(-cents // step) * step


def _flicker(bits: Bits, seconds: Ints) -> Reals:
    """0 to 1 by contract, another number every few seconds; contracts change at different ones."""
    phase = (bits >> np.uint64(8) & np.uint64(7)).astype(np.int64)
    told = mixed_more(bits, (seconds + phase) // WIDTH_HOLDS_S, SALT_WIDTH) & np.uint64(255)
    return told.astype(np.float64) / 255.0


def _width(chain: Chain, fair: Reals, spot: Reals, rank: int | Ints, flicker: Reals) -> Reals:
    """Distance of bid and ask before rounding: a step, part of the price, the cost of the hedge."""
    step = np.where(
        fair >= chain.rule.increments[-1][0], chain.rule.increments[-1][1], chain.rule.increments[0][1]
    )
    hedge = np.minimum(fair, spot * 0.02) * 2.0 * SPREAD_OF_SPOT / 0.02
    usual = step + fair * SPREAD_OF_PRICE * 0.5 + hedge
    return usual * chain.nature.option_spread * (1.0 + SPREAD_BY_EXPIRY * rank) * (0.6 + 0.9 * flicker)
