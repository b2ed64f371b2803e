"""Black-Scholes without rates and dividends, and the volatility that the simulated market uses.

Floats on purpose: model output, rounded to ticks before it becomes a price. American exercise is priced as
European; without rates and dividends that is exact for calls and close for puts.
"""

from math import erf, exp, log, pi, sqrt

from simulation.broker.model import Greeks

SESSIONS_A_YEAR = 252.0
DAYS_A_YEAR = 365.0
T_LEAST = 1.0 / (252 * 390)  # one minute of trading
BASE_VOLATILITY = {
    "SPY": 0.105,
    "QQQ": 0.115,
    "IWM": 0.12,
    "AAPL": 0.125,
    "NVDA": 0.135,
    "TSLA": 0.14,
    "MSFT": 0.12,
    "SPX": 0.105,
}
SKEW = -0.06  # per standard deviation of log-moneyness: puts below the money cost more
SMILE = 0.03
STANDARD_MOST = 4.0  # the wings are flat beyond
VOLATILITY_LEAST = 0.05
ROOT_TWO = sqrt(2.0)


def volatility(symbol: str, spot: float, strike: float, years: float) -> float:
    """Implied volatility of a strike: flat in time, skewed and smiling in strikes."""
    base = BASE_VOLATILITY[symbol]
    standard = log(strike / spot) / (base * sqrt(years))
    bounded = max(-STANDARD_MOST, min(STANDARD_MOST, standard))
    return max(VOLATILITY_LEAST, base * (1.0 + SKEW * bounded + SMILE * bounded * bounded))


def value(right: str, spot: float, strike: float, years: float, sigma: float) -> float:
    """Price of an option per unit of its underlying."""
    root = sigma * sqrt(years)
    first = log(spot / strike) / root + root / 2.0
    call = spot * _below(first) - strike * _below(first - root)
    return max(call if right == "C" else call - spot + strike, 0.0)


def greeks(right: str, spot: float, strike: float, years: float, sigma: float) -> Greeks:
    """All sensitivities: vega per volatility point, theta per calendar day."""
    root = sigma * sqrt(years)
    first = log(spot / strike) / root + root / 2.0
    density = exp(-first * first / 2.0) / sqrt(2.0 * pi)
    delta = _below(first) - (0.0 if right == "C" else 1.0)
    return Greeks(
        implied_volatility=sigma,
        delta=delta,
        gamma=density / (spot * root),
        vega=spot * density * sqrt(years) / 100.0,
        theta=-spot * density * sigma / (2.0 * sqrt(years)) / DAYS_A_YEAR,
        price=value(right, spot, strike, years, sigma),
        underlying=spot,
    )


def _below(x: float) -> float:
    return 0.5 * (1.0 + erf(x / ROOT_TWO))
