"""Readings of the daily history: each session's close with the regime it ended in."""

from collections.abc import Iterable, Sequence
from datetime import date

from trading.market_settings import VolatilitySettings
from trading.model.market import VolatilityReading, VolatilitySource
from trading.ports.volatility_source import DailyValue
from trading.volatility.observation import INDEX
from trading.volatility.regime import Movement, judge
from trading.volatility.same_time import SameTime, daily_minutes, index_close


def readings_of(
    values: Iterable[DailyValue], limits: VolatilitySettings, after: date | None
) -> Sequence[VolatilityReading]:
    """One reading a session after that one, oldest first, each against the closes before it."""
    earlier = SameTime(limits.sessions_max, limits.samples_min)
    readings = []
    for value in sorted(values, key=lambda each: each.session):
        earlier.fill(value.session, daily_minutes(value.session, value.opened, value.closed))
        if after is None or value.session > after:
            readings.append(_reading(value, earlier, limits))
    return readings


def _reading(value: DailyValue, earlier: SameTime, limits: VolatilitySettings) -> VolatilityReading:
    at = index_close(value.session)
    unusual = earlier.unusual(at, value.closed)
    seen = Movement(
        value=value.closed, change_5m=None, change_1h=None, z_score=unusual.z_score, age_s=0, in_session=False
    )
    judgment = judge(seen, limits)
    return VolatilityReading(
        index=INDEX,
        at=at,
        value=value.closed,
        source=VolatilitySource.CBOE_HISTORY,
        regime=judgment.regime,
        judged_at=at,
        z_score=unusual.z_score,
        samples=unusual.samples,
        reason=f"the close of {value.session}; {judgment.reason}",
    )
