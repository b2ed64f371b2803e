"""Where prices come from: one seeded path per underlying in whole cents, and option prices around it.

Integers throughout, so the same seed gives the same cents on every machine. The option price is intrinsic
value plus a time value that falls with the distance to the strike: enough to look like a market, and no
more than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import isqrt
from random import Random

from simulation.sample_desk.contracts import UNDERLYINGS, Contract, Underlying

STEPS = 26  # quarter hours of a session
STEP_MOVE_PPM = 1_500  # largest move of one step, parts per million
GAP_MOVE_PPM = 6_000  # largest move over night
DAILY_VALUE_PPM = 2_300  # at-the-money value of one day: 0.4 x the daily deviation of the paths
NICKEL_FROM_CENTS = 300  # from three dollars on options trade in steps of five cents
EURO_START_PIPS = 116_240  # 1.16240
EURO_MOVE_PIPS = 350


@dataclass(slots=True)
class Market:
    """Spot paths by symbol and session, and the euro's daily rate."""

    paths: dict[tuple[str, date], tuple[int, ...]] = field(default_factory=dict)
    euro: dict[date, Decimal] = field(default_factory=dict)

    def spot_cents(self, underlying: Underlying, session: date, step: int) -> int:
        """The underlying's price at a step (0 the open, STEPS the close)."""
        return self.paths[underlying.symbol, session][step]

    def close_cents(self, underlying: Underlying, session: date) -> int:
        """The session's last price: what options settle against and what marks are made of."""
        return self.paths[underlying.symbol, session][STEPS]

    def option_cents(self, contract: Contract, session: date, step: int) -> int:
        """A fair price of the option at a step, at least one cent."""
        if contract.underlying is None or contract.expiry is None:
            raise ValueError(f"contract: expected an option, was {contract.symbol}")
        spot = self.spot_cents(contract.underlying, session, step)
        days_left = max((contract.expiry - session).days, 0)
        quarters = days_left * STEPS + (STEPS - step)
        at_the_money = spot * DAILY_VALUE_PPM * isqrt(10_000 * quarters // STEPS) // 100_000_000
        time_value = max(1, at_the_money - abs(spot - contract.strike_cents) * 2 // 5)
        price = contract.intrinsic_cents(spot) + time_value
        return price if price < NICKEL_FROM_CENTS else price // 5 * 5

    def mark(self, contract: Contract, session: date) -> Decimal:
        """The statement's mark at the end of the session; an option's has four decimals."""
        if contract.underlying is None:
            raise ValueError(f"contract: expected a security, was {contract.symbol}")
        if contract.asset == "STK":
            return Decimal(self.close_cents(contract.underlying, session)) / 100
        hundredths = contract.conid % 97  # the broker's marks are model values, not prices of the tick
        return (Decimal(self.option_cents(contract, session, STEPS) * 100 + hundredths)) / 10_000


def draw_market(rng: Random, sessions: Sequence[date]) -> Market:
    """All paths of the month, underlying by underlying."""
    market = Market()
    for underlying in UNDERLYINGS:
        spot = underlying.start_cents
        for session in sessions:
            spot = _moved(rng, spot, GAP_MOVE_PPM)
            path = [spot]
            for _ in range(STEPS):
                path.append(_moved(rng, path[-1], STEP_MOVE_PPM))
            market.paths[underlying.symbol, session] = tuple(path)
            spot = path[-1]
    pips = EURO_START_PIPS
    for session in sessions:
        pips += rng.randint(-EURO_MOVE_PIPS, EURO_MOVE_PIPS)
        market.euro[session] = Decimal(pips) / 100_000
    return market


def _moved(rng: Random, cents: int, most_ppm: int) -> int:
    return cents + cents * rng.randint(-most_ppm, most_ppm) // 1_000_000
