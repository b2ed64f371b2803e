"""Pseudo-random numbers by address instead of by order: the same (seed, keys) always give the same number.

A generator that is drawn in the order of questions would give another market to a client who asks more. The
array forms give the same bits as the scalar ones. `bells` is a sum of four uniform numbers, near enough to
the normal law and made of integers, so that it is the same on every machine.
"""

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Reals = NDArray[np.float64]
Keys = int | NDArray[np.int64] | Bits

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
LANE = 0xFFFF
LANE_MIDDLE = 4 * LANE / 2
LANE_DEVIATION = 37837.227  # of the sum of four lanes: root of 4 x (65536^2 - 1) / 12
TO_UNIT = 2.0**-53


def mixed(*keys: int) -> int:
    """64 well mixed bits of some integers (the finalizer of SplitMix64 over each in turn)."""
    return mixed_on(GOLDEN, *keys)


def mixed_on(state: int, *keys: int) -> int:
    """Go on from mixed bits with more keys."""
    for key in keys:
        state = (state ^ key) * FIRST & MASK
        state = (state ^ state >> 27) * SECOND & MASK
        state ^= state >> 31
    return state


def between(low: int, high: int, *keys: int) -> int:
    """An integer from low to high, both included."""
    return low + mixed(*keys) % (high - low + 1)


def unit(*keys: int) -> float:
    """A number from 0 to below 1."""
    return (mixed(*keys) >> 11) * TO_UNIT


def bell(*keys: int) -> float:
    """A number of mean 0 and deviation 1, never beyond 3.5."""
    bits = mixed(*keys)
    lanes = (bits & LANE) + (bits >> 16 & LANE) + (bits >> 32 & LANE) + (bits >> 48)
    return (lanes - LANE_MIDDLE) / LANE_DEVIATION


def mixed_more(state: int | Bits, *keys: Keys) -> Bits:
    """The same as `mixed_on` where some are arrays."""
    bits = np.atleast_1d(np.asarray(state, dtype=np.uint64))
    for key in keys:
        told = np.uint64(key & MASK) if isinstance(key, int) else key.astype(np.uint64)
        bits = (bits ^ told) * np.uint64(FIRST)
        bits = (bits ^ bits >> np.uint64(27)) * np.uint64(SECOND)
        bits = bits ^ bits >> np.uint64(31)
    return bits


def units(bits: Bits) -> Reals:
    """Numbers from 0 to below 1 out of mixed bits."""
    return (bits >> np.uint64(11)).astype(np.float64) * TO_UNIT


def bells(bits: Bits) -> Reals:
    """Numbers of mean 0 and deviation 1, never beyond 3.5, out of mixed bits."""
    lane = np.uint64(LANE)
    lanes = (bits & lane) + (bits >> np.uint64(16) & lane)
    lanes = lanes + (bits >> np.uint64(32) & lane) + (bits >> np.uint64(48))
    told: Reals = (lanes.astype(np.float64) - LANE_MIDDLE) / LANE_DEVIATION
    return told
