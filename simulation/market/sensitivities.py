"""Greeks of a whole chain at one second, from the same surface as its prices.

Time is calendar time over 365 days, so that Black-Scholes with the told volatility, the rate and the dividend
yield gives the told price back (of a European option; an American one is told with its European greeks).
"""

from dataclasses import dataclass

import numpy as np

from simulation.broker.model import Greeks
from simulation.market.chain import Chain
from simulation.market.exact import density, normal
from simulation.market.mixing import Reals
from simulation.market.nature import RATE
from simulation.market.pricing import YEAR_S, Pricing
from simulation.market.surface import priced

LAST_S = 60.0  # time is not shorter than this
DAYS_A_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """Lists by flat number of the chain: dollars, per volatility point, per calendar day."""

    volatility: list[float]
    delta: list[float]
    gamma: list[float]
    vega: list[float]
    theta: list[float]
    underlying: float

    def of(self, flat: int, price: float) -> Greeks:
        """One contract's, with its price."""
        return Greeks(
            implied_volatility=self.volatility[flat],
            delta=self.delta[flat],
            gamma=self.gamma[flat],
            vega=self.vega[flat],
            theta=self.theta[flat],
            price=price,
            underlying=self.underlying,
        )


def sensitivities(pricing: Pricing, chain: Chain, second: int) -> Sensitivities:
    """All of one second."""
    seconds = np.array([second])
    at, state = pricing.sliced(chain, seconds, slice(0, len(chain.expiries)))
    told = priced(at, chain.strikes, chain.log_strikes)
    years = np.maximum(chain.last[:, None] - second, LAST_S) / YEAR_S
    root_years, spot = np.sqrt(years), state.spot / 100.0
    held = at.discount * at.forward / state.spot
    deviation = np.sqrt(told.variance)
    volatility = deviation / root_years
    hill = held * density(told.first)
    decay = -spot * hill * volatility / (2.0 * root_years)
    interest = RATE * at.discount * chain.strikes / 100.0
    carry = chain.nature.dividend * spot * held
    delta = held * normal(told.first)
    call_theta = decay - interest * normal(told.second) + carry * normal(told.first)
    put_theta = decay + interest * normal(-told.second) - carry * normal(-told.first)
    gamma, vega = hill / (spot * deviation), spot * hill * root_years / 100.0
    return Sensitivities(
        volatility=_both(volatility, volatility),
        delta=_both(delta, delta - held),
        gamma=_both(gamma, gamma),
        vega=_both(vega, vega),
        theta=_both(call_theta / DAYS_A_YEAR, put_theta / DAYS_A_YEAR),
        underlying=float(spot[0]),
    )


def _both(calls: Reals, puts: Reals) -> list[float]:
    told: list[float] = np.stack([calls, puts]).ravel().tolist()
    return told
