"""An index of one day's expected volatility, computed from the quotes of the S&P 500's own chain.

Built like Cboe's one-day index: the variance of the two nearest expiries by the sum over out-of-the-money
options of quote middle x strike step / strike squared, brought to one session ahead in trading time, as a
yearly volatility in percent. Told every quarter of a minute. Its contract id is ours, not the broker's.
"""

from dataclasses import dataclass, field
from datetime import date
from math import sqrt

import numpy as np

from simulation.market.chain import CALL, PUT, Chain, Chains, Ints
from simulation.market.mixing import Reals
from simulation.market.nature import RATE, SESSIONS_A_YEAR
from simulation.market.pricing import LEAST_SESSIONS, YEAR_S, Pricing
from simulation.sample_desk.contracts import Underlying

VIX1D = Underlying(
    symbol="VIX1D",
    option_root="VIX1D",
    conid=899_000_001,
    description="CBOE 1-Day Volatility Index",
    isin="",
    listing="CBOE",
    start_cents=1_200,
    strike_step_cents=100,
    lists_every_session=False,
    is_index=True,
)
TOLD_EVERY_S = 15
VALUES_KEPT = 4_000


@dataclass(slots=True)
class VolatilityIndex:
    """The index's value at any second."""

    pricing: Pricing
    chains: Chains
    source: Underlying
    values: dict[int, int] = field(default_factory=dict)

    def cents(self, second: int, session: date) -> int:
        """Hundredths of a point; before the open the first value of the session, after its close the last."""
        opens, closes = self.pricing.paths.bounds(session)
        at = min(max(second, opens), closes - 1) // TOLD_EVERY_S * TOLD_EVERY_S
        found = self.values.get(at)
        if found is None:
            if len(self.values) >= VALUES_KEPT:
                self.values.clear()
            found = self.values[at] = self._value(at, session)
        return found

    def _value(self, second: int, session: date) -> int:
        chain = self.chains.chain(self.source, session)
        if chain is None:
            raise ValueError(f"session: expected one with a chain of {self.source.symbol}, was {session}")
        _, bids, asks = self.pricing.touches_at(chain, second)
        live = [row for row, last in enumerate(chain.last.tolist()) if last > second][:2]
        left = float(self.pricing.state(self.source, session, np.array([second])).left[0])
        points = []
        for row in live:
            years = (int(chain.last[row]) - second) / YEAR_S
            variance = replicated(chain, bids[:, row], asks[:, row], 1.0 + RATE * years)
            points.append((left + float(chain.later[row]) + LEAST_SESSIONS, variance))
        return round(10_000.0 * sqrt(SESSIONS_A_YEAR * one_session(points)))


def replicated(chain: Chain, bids: Ints, asks: Ints, growth: float) -> float:
    """Total variance to an expiry out of the quotes of its calls and puts."""
    middles = (bids + asks) * 0.5
    strikes = chain.strikes
    gap = np.abs(middles[CALL] - middles[PUT])
    nearest = int(np.argmin(gap))
    forward = float(strikes[nearest]) + growth * float(middles[CALL][nearest] - middles[PUT][nearest])
    below = max(int(np.searchsorted(strikes, forward, side="right")) - 1, 0)
    prices = np.where(np.arange(len(strikes)) < below, middles[PUT], middles[CALL])
    prices[below] = (middles[CALL][below] + middles[PUT][below]) * 0.5
    is_bid = np.where(np.arange(len(strikes)) < below, bids[PUT], bids[CALL]) > 0
    total = _summed(np.where(is_bid, prices * _steps(strikes) / (strikes * strikes), 0.0))
    away = forward / float(strikes[below]) - 1.0
    return max(2.0 * growth * total - away * away, 0.0)


def one_session(points: list[tuple[float, float]]) -> float:
    """Variance of one session ahead, on the line through the two nearest expiries in trading time."""
    if not points:
        return 0.0
    if len(points) == 1 or points[0][0] >= 1.0:
        sessions, variance = points[0]
        return variance / sessions
    (near, low), (far, high) = points
    return low + (high - low) * (1.0 - near) / (far - near)


def _steps(strikes: Reals) -> Reals:
    """Half the distance between the strikes on both sides; the whole distance at the ends."""
    gaps = strikes[1:] - strikes[:-1]
    return np.concatenate([gaps[:1], (gaps[1:] + gaps[:-1]) * 0.5, gaps[-1:]])


def _summed(values: Reals) -> float:
    """A sum in order: the same bits everywhere."""
    return float(np.cumsum(values)[-1])
