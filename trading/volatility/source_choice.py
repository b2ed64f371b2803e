"""Which source speaks for the index: the first in order that is fresh, else whichever is newest.

The order is the broker's live index, Yahoo, the daily history. A source that comes back takes over again at
once: its own series tells its changes, so nothing is lost by switching.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from trading.model.market import VolatilitySource
from trading.volatility.observation import Observation

ORDER = (VolatilitySource.IBKR, VolatilitySource.YAHOO, VolatilitySource.CBOE_HISTORY)


def choose(newest: Iterable[Observation], now: datetime, fresh_for: timedelta) -> Observation | None:
    """Return the observation that counts; None where no source has told anything."""
    in_order = sorted(newest, key=lambda told: ORDER.index(told.source))
    fresh = (told for told in in_order if now - told.at <= fresh_for)
    return next(fresh, None) or max(in_order, key=lambda told: told.at, default=None)
