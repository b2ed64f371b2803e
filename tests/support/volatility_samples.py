"""Samples of the one-day index: the default limits, and observations by New York's clock."""

from datetime import date, datetime, time
from decimal import Decimal
from functools import cache

from adapters.configuration import load_settings
from trading.market_settings import VolatilitySettings
from trading.model.market import VolatilitySource
from trading.model.times import NEW_YORK
from trading.volatility.observation import Observation

FRIDAY = date(2026, 11, 20)
IBKR, YAHOO, DAILY = VolatilitySource.IBKR, VolatilitySource.YAHOO, VolatilitySource.CBOE_HISTORY


@cache
def default_limits() -> VolatilitySettings:
    """What config/volatility.yaml says without an environment."""
    return load_settings({}).volatility


def new_york(clock: str, day: date = FRIDAY) -> datetime:
    """A moment of New York's clock, HH:MM or HH:MM:SS."""
    return datetime.combine(day, time.fromisoformat(clock), NEW_YORK)


def at(clock: str, value: str, source: VolatilitySource = IBKR, day: date = FRIDAY) -> Observation:
    """A value of the index."""
    return Observation(at=new_york(clock, day), value=Decimal(value), source=source)
