"""A one-day volatility index for the stubs: drawn from a seed and the moment alone, the same for every stub.

Each session has a level (a mean-reverting walk over the days) and the shape of a day, low at noon; noise
within. No history is kept: a value is a function of (seed, moment), so two stubs tell one index.
"""

import math
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from trading.calendar import session_close, session_open

CENT = Decimal("0.01")
USUAL_LEVEL = 15.0
WALK_DAYS = 20  # older ones have no weight left
DECAY = 0.8
DAILY_SPREAD = 0.12
NOISE = 0.01
DAY_PARTS = 9  # of which the daily file knows the highest and lowest
STEP = timedelta(seconds=15)  # the index is computed so often
LATE = timedelta(minutes=15)  # with its options


@dataclass(frozen=True, slots=True)
class IndexPath:
    """The index by seed."""

    seed: int

    def at(self, moment: datetime, session: date) -> Decimal:
        """The value that stands at a moment of a session's day."""
        opened = session_open(session)
        length = session_close(session) + LATE - opened
        place = min(max((moment - opened) / length, 0.0), 1.0)
        step = int(place * (length / STEP))
        shape = 1.0 + 0.15 * (2 * place - 1) ** 2
        noise = 1.0 + NOISE * _noise(self.seed, session, step)
        return Decimal(_level(self.seed, session) * shape * noise).quantize(CENT)

    def day(self, session: date) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Open, high, low, close, as the exchange's file has them."""
        opened, closed = session_open(session), session_close(session) + LATE
        part = (closed - opened) / DAY_PARTS
        values = [self.at(opened + number * part, session) for number in range(DAY_PARTS + 1)]
        return values[0], max(values), min(values), values[-1]


@lru_cache(maxsize=4_096)
def _level(seed: int, session: date) -> float:
    walk = sum(DECAY**back * _push(seed, session - timedelta(days=back)) for back in range(WALK_DAYS))
    return USUAL_LEVEL * math.exp(walk)


@lru_cache(maxsize=4_096)
def _push(seed: int, day: date) -> float:
    return _chance(seed, "level", str(day)).gauss(0, DAILY_SPREAD)


@lru_cache(maxsize=20_000)
def _noise(seed: int, session: date, step: int) -> float:
    return _chance(seed, "noise", f"{session}:{step}").gauss(0, 1)


def _chance(seed: int, what: str, place: str) -> random.Random:
    return random.Random(f"{seed}:{what}:{place}")


def stamps(session: date, until: datetime, every: timedelta) -> list[datetime]:
    """The beginnings of a session's bars that have begun by then."""
    opened, closed = session_open(session), session_close(session) + LATE
    count = int((min(until, closed) - opened) / every)
    return [opened + number * every for number in range(count + 1)] if until >= opened else []
