"""Logarithm, exponential and normal law from sums, products, quotients and roots alone.

The C library and NumPy's vector units give other last bits on other machines; these four operations and the
square root do not, so the same seed gives the same bytes everywhere. Never add with `np.sum` or `@` here:
their order depends on the machine. Accuracy: logarithm and exponential to some 1e-16 of the value, the normal
law to 1e-11.
"""

import numpy as np

from simulation.market.mixing import Reals

LN_2 = 0.6931471805599453
ROOT_HALF = 0.7071067811865476
ROOT_TWO_PI = 2.5066282746310002
LOGARITHM_TERMS = 12
EXPONENTIAL_TERMS = 16
STEPS_A_UNIT = 128
FURTHEST = 8.0  # beyond it the normal law is 0 or 1 to fifteen digits
SERIES_TERMS = 140


def ln(values: Reals) -> Reals:
    """Natural logarithm of positive numbers."""
    mantissa, power = np.frexp(values)
    small = mantissa < ROOT_HALF
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    power = np.where(small, power - 1, power)
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    total = np.zeros_like(ratio)
    for term in range(LOGARITHM_TERMS, -1, -1):
        total = total * square + 1.0 / (2 * term + 1)
    return 2.0 * ratio * total + power * LN_2


def exp(values: Reals) -> Reals:
    """Exponential of moderate numbers."""
    power = np.rint(values / LN_2)
    rest = values - power * LN_2
    total = np.ones_like(rest)
    for term in range(EXPONENTIAL_TERMS, 0, -1):
        total = 1.0 + total * rest / term
    return np.ldexp(total, power.astype(np.int64))


def _tables() -> tuple[Reals, Reals]:
    """Normal law and density at each step from -8 to 8, by the series that has only positive terms."""
    count = int(FURTHEST) * STEPS_A_UNIT
    x = np.arange(count + 1) / STEPS_A_UNIT
    density = exp(-x * x / 2.0) / ROOT_TWO_PI
    term = x.copy()
    total = x.copy()
    for place in range(1, SERIES_TERMS):
        term = term * (x * x) / (2 * place + 1)
        total = total + term
    upper = 0.5 + density * total
    return np.concatenate([1.0 - upper[:0:-1], upper]), np.concatenate([density[:0:-1], density])


LAW, DENSITY = _tables()
_LAST = len(LAW) - 2


def normal(x: Reals) -> Reals:
    """Probability that a standard normal number is below x."""
    place = (np.clip(x, -FURTHEST, FURTHEST) + FURTHEST) * STEPS_A_UNIT
    step = np.minimum(place.astype(np.int64), _LAST)
    part = place - step
    rest = 1.0 - part
    low, high = LAW.take(step), LAW.take(step + 1)
    slopes = (DENSITY.take(step) * rest - DENSITY.take(step + 1) * part) * (part * rest / STEPS_A_UNIT)
    return low + (high - low) * (part * part * (3.0 - 2.0 * part)) + slopes


def density(x: Reals) -> Reals:
    """Density of the standard normal law, 0 far out; linear between its steps."""
    place = (np.clip(x, -FURTHEST, FURTHEST) + FURTHEST) * STEPS_A_UNIT
    step = np.minimum(place.astype(np.int64), _LAST)
    part = place - step
    return DENSITY.take(step) * (1.0 - part) + DENSITY.take(step + 1) * part
