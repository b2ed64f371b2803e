"""Option prices free of arbitrage: an SSVI surface (Gatheral and Jacquier 2014) and Black's formula on it.

Total variance of a strike is w(k) = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)) with k the
log of strike over forward and phi = eta / sqrt(theta (1 + theta)). With |rho| < 1 and eta (1 + |rho|) <= 2 no
expiry admits a butterfly arbitrage (their theorem 4.2 and corollary 4.1: theta phi (1 + |rho|) < 4 and
theta phi^2 (1 + |rho|) <= 4); with theta growing in time and one rho for all expiries there is no
calendar arbitrage either (theorem 4.1: d(theta phi)/d theta is positive and at most half of phi). So whatever
the state does within its bounds, prices of one second cannot be bought and sold against each other.

Why prices and not volatilities are what is kept free of arbitrage: a quote is a price rounded outwards to the
tick, so every bid is at or below and every ask at or above a price that admits none, and no portfolio of
quotes does better than its prices.

All arrays broadcast: a whole chain at one second is expiries x strikes with one state, a contract through a
minute is expiries x seconds with one strike, and both give the same bits.
"""

from dataclasses import dataclass

import numpy as np

from simulation.market.exact import normal
from simulation.market.mixing import Reals

LEVEL_FADES = 0.12  # a session: how fast the level of now is forgotten further out


@dataclass(frozen=True, slots=True)
class Slice:
    """Forwards, discounts and at-the-money total variances by expiry (first axis), and the smile's shape."""

    forward: Reals
    log_forward: Reals
    discount: Reals
    theta: Reals
    skew: Reals
    curve: Reals


@dataclass(frozen=True, slots=True)
class Priced:
    """European prices in cents, total variances, and the arguments of Black's formula."""

    calls: Reals
    puts: Reals
    variance: Reals
    first: Reals
    second: Reals


def at_the_money(daily_variance: float, sessions: Reals, level: Reals, news: Reals) -> Reals:
    """Total variance: near expiries feel the level, far ones the usual; it always grows with time.

    Its slope is daily variance x (1 + (level - 1) / (1 + fades x sessions)^2), positive for a level above 0.
    """
    return daily_variance * (sessions + (level - 1.0) * sessions / (1.0 + LEVEL_FADES * sessions)) + news


def total_variance(at: Slice, moneyness: Reals) -> Reals:
    """Total variance at log-moneyness."""
    phi = at.curve / np.sqrt(at.theta * (1.0 + at.theta))
    tilted = phi * moneyness
    inner = tilted + at.skew
    root = np.sqrt(inner * inner + (1.0 - at.skew * at.skew))
    return at.theta * 0.5 * (1.0 + at.skew * tilted + root)


def priced(at: Slice, strikes: Reals, log_strikes: Reals) -> Priced:
    """European calls and puts by Black's formula; puts by parity."""
    moneyness = log_strikes - at.log_forward
    variance = total_variance(at, moneyness)
    root = np.sqrt(variance)
    first = root * 0.5 - moneyness / root
    second = first - root
    paid = at.discount * strikes
    held = at.discount * at.forward
    calls = np.maximum(held * normal(first) - paid * normal(second), 0.0)
    puts = np.maximum(calls - held + paid, 0.0)
    return Priced(calls, puts, variance, first, second)


def american(european: Reals, intrinsic: Reals) -> Reals:
    """What one that may be exercised early is worth at least: never below what exercise brings now, nor below
    the same strike of an earlier expiry. Both keep prices convex in the strike and growing in time; the rest
    of the early-exercise premium is left out."""
    told: Reals = np.maximum.accumulate(np.maximum(european, intrinsic), axis=0)
    return told
