"""How a session's variance and trading are spread over its minutes: busy at the bells, quiet at noon.

The shapes follow the real tapes that `stylized_facts` compares with (13 % to 22 % of a share's volume in the
first half hour, 12 % to 16 % in the last; moves of a minute twice as large after the opening as at noon).
"""

from functools import cache

import numpy as np

from simulation.market.mixing import Reals

MINUTE = 60
FULL_MINUTES = 390
NIGHT_SHARE = 0.22  # of a day's variance comes between close and open
QUIET_MOVE, OPENING_MOVE, CLOSING_MOVE = 0.85, 1.7, 0.6
QUIET_TRADE, OPENING_TRADE, CLOSING_TRADE = 0.62, 2.2, 1.2


def _powered(values: Reals, power: int) -> Reals:
    """A whole power by products, whose bits are the same everywhere."""
    told = values
    for _ in range(power - 1):
        told = told * values
    return told


def _scaled(weights: Reals) -> Reals:
    told: Reals = weights / np.cumsum(weights)[-1]
    return told


@cache
def move_weights(minutes: int) -> Reals:
    """Share of the session's variance in each minute; together 1."""
    x = (np.arange(minutes) + 0.5) / minutes
    shape = QUIET_MOVE + OPENING_MOVE * _powered(1.0 - x, 12) + CLOSING_MOVE * _powered(x, 16)
    return _scaled(shape * shape)


@cache
def trade_weights(minutes: int) -> Reals:
    """Share of the session's trades in each minute; together 1."""
    x = (np.arange(minutes) + 0.5) / minutes
    return _scaled(QUIET_TRADE + OPENING_TRADE * _powered(1.0 - x, 12) + CLOSING_TRADE * _powered(x, 20))


@cache
def variance_left(minutes: int) -> Reals:
    """Share of the session's variance that is still to come, at each minute from the open to the close."""
    return np.concatenate([[1.0], np.maximum(1.0 - np.cumsum(move_weights(minutes))[:-1], 0.0), [0.0]])


def session_weight(minutes: int) -> float:
    """Variance of a session and the night before it, in full sessions; short ones bring less."""
    return NIGHT_SHARE + (1.0 - NIGHT_SHARE) * minutes / FULL_MINUTES
