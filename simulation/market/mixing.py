"""Pseudo-random numbers by address instead of by order: the same (seed, keys) always give the same number.

A generator that is drawn in the order of questions would give another market to a client who asks more.
"""

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mixed(*keys: int) -> int:
    """64 well mixed bits of some integers (the finalizer of SplitMix64 over each in turn)."""
    state = GOLDEN
    for key in keys:
        state = (state ^ key) * 0xBF58476D1CE4E5B9 & MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & MASK
        state ^= state >> 31
    return state


def between(low: int, high: int, *keys: int) -> int:
    """An integer from low to high, both included."""
    return low + mixed(*keys) % (high - low + 1)


def unit(*keys: int) -> float:
    """A number from 0 to below 1."""
    return mixed(*keys) / 2**64
