"""The partition sets of the desk: sessions of the exchange, as days in New York.

The books begin with their first fills; market data begins earlier, with the oldest tape that is recorded, and
has a set of its own, so that the books' assets show no years that they do not have.

Weekends and holidays are excluded, so a Friday is there on Saturday. Today's session is there too
(`end_offset`), because the provisional reconciliation runs in its evening; on a closed day the next session
already shows, empty.
"""

from datetime import date, datetime, timedelta
from functools import cache

import dagster as dg

from assets.closed_days import CLOSED_WEEKDAYS
from trading.model.times import NEW_YORK
from trading.ports.model_runner import SessionRange

# The desk's books begin here; older fills are kept, and belong to no partition.
FIRST_SESSION = date(2020, 1, 2)
FIRST_MARKET_SESSION = date(2005, 1, 3)
WEEKENDS = "0 0 * * 6,0"


@cache
def exchange_sessions() -> dg.DailyPartitionsDefinition:
    """The partitions of the books: one for each session from FIRST_SESSION to today."""
    return _sessions_from(FIRST_SESSION)


@cache
def market_sessions() -> dg.DailyPartitionsDefinition:
    """The partitions of market data: one for each session from FIRST_MARKET_SESSION to today."""
    return _sessions_from(FIRST_MARKET_SESSION)


def _sessions_from(first: date) -> dg.DailyPartitionsDefinition:
    return dg.DailyPartitionsDefinition(
        start_date=first.isoformat(),
        timezone=str(NEW_YORK),
        end_offset=1,
        exclusions=[WEEKENDS, *(_midnight(day) for day in CLOSED_WEEKDAYS if day >= first)],
    )


def asked_sessions(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> SessionRange | None:
    """The sessions a run is about; None for a run without partitions, which means all."""
    run = context.run
    first = run.tags.get("dagster/asset_partition_range_start") or run.tags.get("dagster/partition")
    last = run.tags.get("dagster/asset_partition_range_end") or run.tags.get("dagster/partition")
    if not first or not last:
        return None
    return SessionRange(first=date.fromisoformat(first), last=date.fromisoformat(last))


def asked_or_all(context: dg.AssetExecutionContext) -> SessionRange:
    """The sessions a run is about; for a run without partitions every session up to today."""
    last = exchange_sessions().get_last_partition_key() or FIRST_SESSION.isoformat()
    return asked_sessions(context) or SessionRange(first=FIRST_SESSION, last=date.fromisoformat(last))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)


FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=5), warn_window=timedelta(days=4))
