"""Greeks from the same surface as the prices: of a whole chain at one second, or of a contract over some.

Time is calendar time over 365 days, so that Black-Scholes with the told volatility, the rate and the dividend
yield gives the told price back (of a European option; an American one is told with its European greeks).
"""

from dataclasses import dataclass

import numpy as np

from simulation.broker.model import Greeks
from simulation.market.chain import CALL, Cell, Chain, Ints
from simulation.market.exact import density, normal
from simulation.market.mixing import Reals
from simulation.market.nature import RATE
from simulation.market.pricing import YEAR_S, Pricing
from simulation.market.surface import priced

LAST_S = 60.0  # time is not shorter than this
DAYS_A_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """Lists by flat number of a chain, or by second of a contract: dollars, per volatility point, per day."""

    volatility: list[float]
    delta: list[float]
    gamma: list[float]
    vega: list[float]
    theta: list[float]
    underlying: list[float]

    def of(self, place: int, price: float) -> Greeks:
        """One entry, with its price; one spot stands for all."""
        return Greeks(
            implied_volatility=self.volatility[place],
            delta=self.delta[place],
            gamma=self.gamma[place],
            vega=self.vega[place],
            theta=self.theta[place],
            price=price,
            underlying=self.underlying[place if len(self.underlying) > 1 else 0],
        )


@dataclass(frozen=True, slots=True)
class _Computed:
    """Arrays of expiries x strikes or seconds; of calls and of puts where they differ."""

    volatility: Reals
    delta: tuple[Reals, Reals]
    gamma: Reals
    vega: Reals
    theta: tuple[Reals, Reals]
    spot: Reals


def of_chain(pricing: Pricing, chain: Chain, second: int) -> Sensitivities:
    """All contracts at one second."""
    told = _computed(pricing, chain, np.array([second]), np.arange(len(chain.strikes)), slice(None))
    return Sensitivities(
        volatility=_both(told.volatility, told.volatility),
        delta=_both(*told.delta),
        gamma=_both(told.gamma, told.gamma),
        vega=_both(told.vega, told.vega),
        theta=_both(*told.theta),
        underlying=told.spot.tolist(),
    )


def of_contract(pricing: Pricing, chain: Chain, cell: Cell, seconds: Ints) -> Sensitivities:
    """One contract at some seconds."""
    rows, own = slice(cell.expiry, cell.expiry + 1), 0 if cell.right == CALL else 1
    told = _computed(pricing, chain, seconds, np.array([cell.strike]), rows)
    return Sensitivities(
        volatility=told.volatility[0].tolist(),
        delta=told.delta[own][0].tolist(),
        gamma=told.gamma[0].tolist(),
        vega=told.vega[0].tolist(),
        theta=told.theta[own][0].tolist(),
        underlying=told.spot.tolist(),
    )


def _computed(pricing: Pricing, chain: Chain, seconds: Ints, strikes: Ints, rows: slice) -> _Computed:
    at, state = pricing.sliced(chain, seconds, rows)
    cents = chain.strikes[strikes]
    told = priced(at, cents, chain.log_strikes[strikes])
    years = np.maximum(chain.last[rows, None] - seconds, LAST_S) / YEAR_S
    root_years, spot = np.sqrt(years), state.spot / 100.0
    held = at.discount * at.forward / state.spot
    deviation = np.sqrt(told.variance)
    volatility = deviation / root_years
    hill = held * density(told.first)
    decay = -spot * hill * volatility / (2.0 * root_years)
    interest, carry = RATE * at.discount * cents / 100.0, chain.nature.dividend * spot * held
    delta = held * normal(told.first)
    call_theta = decay - interest * normal(told.second) + carry * normal(told.first)
    put_theta = decay + interest * normal(-told.second) - carry * normal(-told.first)
    return _Computed(
        volatility=volatility,
        delta=(delta, delta - held),
        gamma=hill / (spot * deviation),
        vega=spot * hill * root_years / 100.0,
        theta=(call_theta / DAYS_A_YEAR, put_theta / DAYS_A_YEAR),
        spot=spot,
    )


def _both(calls: Reals, puts: Reals) -> list[float]:
    told: list[float] = np.stack([calls, puts]).ravel().tolist()
    return told
