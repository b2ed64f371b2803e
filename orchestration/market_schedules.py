"""Market data by the exchange's hours: counted each hour of the session, loaded from history in its evening.

A cron line knows no holiday: on a closed weekday the session before is built once more, which adds nothing
and keeps the freshness policies of the assets true. A desk without any source of market data is skipped.
"""

from collections.abc import Iterator
from datetime import UTC

import dagster as dg

from trading.calendar import session_on_or_before
from trading.model.times import NEW_YORK
from trading.settings import Settings

HOURLY, EVENING = "15 10-16 * * 1-5", "0 18 * * 1-5"


@dg.schedule(
    name="market_sessions",
    job_name="load_market",
    cron_schedule=[HOURLY, EVENING],
    execution_timezone=str(NEW_YORK),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Counts the session that is on each hour, and loads it from the sources of history at 18:00.",
)
def market_hours(
    context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the day's session, or for the one before a closed day."""
    at = context.scheduled_execution_time.astimezone(NEW_YORK)
    if not has_source(settings):
        yield dg.SkipReason("no broker, vendor or folder of recorded sessions is configured")
        return
    session = session_on_or_before(at.date())
    yield dg.RunRequest(
        run_key=f"market-{session}:{at.astimezone(UTC):%Y%m%dT%H%M}",
        partition_key=str(session),
        tags={"desk/session": str(session)},
    )


def has_source(settings: Settings) -> bool:
    """Whether anything can tell what the market said."""
    hears = settings.broker.host is not None and settings.ingest.enabled
    return bool(hears or settings.vendors.alpha_vantage_key or settings.history.lean_folder)


MARKET_SCHEDULES = (market_hours,)
