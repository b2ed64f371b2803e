"""Checks of a chain's prices for static arbitrage: each gives the worst violation, 0 or less for none.

A cent is the unit of prices, so a tolerance of a thousandth of a cent is far below any quote.
"""

import numpy as np

from simulation.market.chain import CALL, PUT, Chain
from simulation.market.exact import ln
from simulation.market.pricing import Pricing
from simulation.market.surface import Slice, priced, total_variance

TOLERANCE = 1e-3  # cents
STANDARD = np.linspace(-6.0, 6.0, 49)  # log-moneyness in deviations of the nearest expiry
FINE = np.linspace(0.6, 1.4, 161)  # strikes as parts of the spot


def calendar(at: Slice) -> float:
    """By how much total variance falls from one expiry to the next, at the same log-moneyness."""
    if at.theta.shape[0] < 2:
        return -np.inf
    moneyness = STANDARD[None, :, None] * np.sqrt(at.theta[:1])[:, None, :]
    whole = Slice(
        at.forward[:, None],
        at.log_forward[:, None],
        at.discount[:, None],
        at.theta[:, None],
        at.skew,
        at.curve,
    )
    return float(-np.diff(total_variance(whole, moneyness), axis=0).min())


def butterfly(at: Slice, spot: float) -> float:
    """By how much calls or puts on a fine grid of strikes fail to be convex and monotone."""
    strikes = np.rint(spot * FINE)
    told = priced(at, strikes, ln(strikes))
    worst = -np.inf
    for prices, sign in ((told.calls, 1.0), (told.puts, -1.0)):
        slope = np.diff(prices, axis=-1) / np.diff(strikes)
        bend = np.diff(slope, axis=-1) * np.diff(strikes)[1:]
        worst = max(worst, float(-bend.min()), float((slope * sign).max()))
        worst = max(worst, float((np.abs(slope) - at.discount).max()))
    return worst


def fair_chain(pricing: Pricing, chain: Chain, second: int) -> float:
    """The same for the listed strikes, early exercise included, and bids and asks around it; the worst."""
    fair, bid, ask = pricing.touches_at(chain, second)
    live = chain.last > second
    fair, bid, ask = fair[:, live], bid[:, live], ask[:, live]
    strikes = chain.strikes
    slope = np.diff(fair, axis=2) / np.diff(strikes)
    bend = np.diff(slope, axis=2) * np.diff(strikes)[1:]
    worst = max(float(-bend.min()), float(slope[CALL].max()), float(-slope[PUT].min()))
    worst = max(worst, float((bid - fair).max()), float((fair - ask).max()), float((bid - ask).max()) + 1.0)
    if not chain.is_european and fair.shape[1] > 1:
        worst = max(worst, float(-np.diff(fair, axis=1).min()))
    return worst


def parity(pricing: Pricing, chain: Chain, second: int) -> float:
    """How far call less put, bought and sold at the touch, is beyond what parity allows."""
    _, bid, ask = pricing.touches_at(chain, second)
    at, state = pricing.sliced(chain, np.array([second]), slice(0, len(chain.expiries)))
    live = chain.last > second
    paid = at.discount * chain.strikes
    low = high = at.discount * at.forward - paid
    if not chain.is_european:
        low, high = at.discount * at.forward - chain.strikes, state.spot - paid
    sold, bought = bid[CALL] - ask[PUT], ask[CALL] - bid[PUT]
    return max(float((sold - high)[live].max()), float((low - bought)[live].max()))
