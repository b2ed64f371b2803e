"""What kind of thing an underlying is: how it moves with the market, how it is traded, what its smile is.

Yearly volatilities. The eight underlyings of the sample desk are typed in; a synthetic symbol's nature is
drawn from its number. Keep out: anything that changes with time (weather.py).
"""

from dataclasses import dataclass
from math import sqrt

from simulation.market.mixing import between, unit
from simulation.sample_desk.contracts import Underlying

SESSIONS_A_YEAR = 252.0
RATE = 0.040  # simple, of a year
MARKET_VOLATILITY = 0.125
# Broad, technology, consumer, small companies, health, finance, staples, energy, industry, utilities,
# communication, materials.
SECTOR_VOLATILITY = (0.0, 0.10, 0.11, 0.12, 0.09, 0.10, 0.08, 0.13, 0.09, 0.07, 0.10, 0.12)
BROAD, TECHNOLOGY, CONSUMER, SMALL = 0, 1, 2, 3
SYNTHETIC_FIRST_CONID = 900_000_001
SYNTHETIC_MOST = 500
SALT_NATURE = 101
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """Loadings on market and sector, own volatility, dividend yield, smile, and trades of a full session.

    skew and curvature are the surface's rho and eta at rest. option_spread: how much wider than those of the
    most traded funds. `company` is whether earnings are reported.
    """

    sector: int
    beta: float
    sector_beta: float
    own: float
    dividend: float
    skew: float
    curvature: float
    share_prints: int
    option_prints: int
    option_spread: float
    company: bool = True

    @property
    def daily_variance(self) -> float:
        """Variance of a day's return."""
        market, sector = self.beta * MARKET_VOLATILITY, self.sector_beta * SECTOR_VOLATILITY[self.sector]
        return (market * market + sector * sector + self.own * self.own) / SESSIONS_A_YEAR

    @property
    def daily_deviation(self) -> float:
        """Deviation of a day's return."""
        return sqrt(self.daily_variance)


def _fund(beta: float, sector: int, sector_beta: float, shares: int, options: int) -> Nature:
    return Nature(
        sector=sector,
        beta=beta,
        sector_beta=sector_beta,
        own=0.0,
        dividend=0.012,
        skew=-0.58,
        curvature=0.78,
        share_prints=shares,
        option_prints=options,
        option_spread=1.0,
        company=False,
    )


def _share(beta: float, sector: int, own: float, dividend: float, shares: int, options: int) -> Nature:
    return Nature(
        sector=sector,
        beta=beta,
        sector_beta=1.0,
        own=own,
        dividend=dividend,
        skew=-0.34,
        curvature=0.85,
        share_prints=shares,
        option_prints=options,
        option_spread=1.8,
    )


KNOWN = {
    "SPX": _fund(1.0, BROAD, 0.0, 0, 30_000),
    "SPY": _fund(1.0, BROAD, 0.0, 24_000, 30_000),
    "QQQ": _fund(1.12, TECHNOLOGY, 0.75, 20_000, 20_000),
    "IWM": _fund(1.10, SMALL, 1.0, 14_000, 10_000),
    "AAPL": _share(1.05, TECHNOLOGY, 0.16, 0.004, 18_000, 14_000),
    "NVDA": _share(1.65, TECHNOLOGY, 0.27, 0.0, 20_000, 18_000),
    "TSLA": _share(1.50, CONSUMER, 0.40, 0.0, 20_000, 18_000),
    "MSFT": _share(1.00, TECHNOLOGY, 0.13, 0.007, 15_000, 11_000),
}


def nature_of(underlying: Underlying) -> Nature:
    """The nature of a known or a synthetic underlying."""
    return KNOWN.get(underlying.symbol) or _drawn(underlying.conid)


def synthetic(count: int) -> tuple[Underlying, ...]:
    """Companies that exist nowhere, for load: symbols ZAAA, ZAAB, ..., spread over the sectors."""
    if not 0 <= count <= SYNTHETIC_MOST:
        raise ValueError(f"symbols: expected 0 to {SYNTHETIC_MOST}, was {count}")
    return tuple(_synthetic(number) for number in range(count))


def _synthetic(number: int) -> Underlying:
    symbol = f"Z{LETTERS[number // 676]}{LETTERS[number // 26 % 26]}{LETTERS[number % 26]}"
    conid = SYNTHETIC_FIRST_CONID + number
    start = between(40, 400, conid, SALT_NATURE) * 100
    return Underlying(
        symbol=symbol,
        option_root=symbol,
        conid=conid,
        description=f"{symbol} SYNTHETIC CORP",
        isin="",
        listing="NASDAQ",
        start_cents=start,
        strike_step_cents=100 if start < 10_000 else 250 if start < 25_000 else 500,
        lists_every_session=False,
    )


def _drawn(conid: int) -> Nature:
    def pick(low: float, high: float, salt: int) -> float:
        return low + (high - low) * unit(conid, salt, SALT_NATURE)

    return Nature(
        sector=1 + conid % (len(SECTOR_VOLATILITY) - 1),
        beta=pick(0.5, 1.6, 1),
        sector_beta=pick(0.6, 1.3, 2),
        own=pick(0.14, 0.40, 3),
        dividend=pick(0.0, 0.03, 4),
        skew=pick(-0.45, -0.2, 5),
        curvature=pick(0.75, 0.95, 6),
        share_prints=between(1_500, 12_000, conid, SALT_NATURE, 7),
        option_prints=between(300, 3_000, conid, SALT_NATURE, 8),
        option_spread=pick(2.0, 4.0, 9),
    )
