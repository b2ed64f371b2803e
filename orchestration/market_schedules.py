"""Market data by the exchange's hours: counted each hour of the session, loaded from history in its evening,
and once more the next morning, when the vendor's chains and news of the session are settled.

A cron line knows no holiday: on a closed weekday the session before is built once more, which adds nothing
and keeps the freshness policies of the assets true. A desk without any source of market data is skipped.
"""

from collections.abc import Iterator
from datetime import UTC, time, timedelta

import dagster as dg

from trading.calendar import session_on_or_before
from trading.model.times import NEW_YORK
from trading.settings import Settings

HOURLY, EVENING, MORNING = "15 10-16 * * 1-5", "0 18 * * 1-5", "0 6 * * 1-5"
OPENS_AT = time(9, 30)  # before it a tick is about the session before


@dg.schedule(
    name="market_sessions",
    job_name="load_market",
    cron_schedule=[HOURLY, EVENING, MORNING],
    execution_timezone=str(NEW_YORK),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Counts the session that is on each hour; loads it from history at 18:00, and at 6:00 again.",
)
def market_hours(
    context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the day's session, or for the one before a closed day; in the morning for the one before."""
    at = context.scheduled_execution_time.astimezone(NEW_YORK)
    if not has_source(settings):
        yield dg.SkipReason("no broker, vendor or folder of recorded sessions is configured")
        return
    is_before = at.time() < OPENS_AT
    session = session_on_or_before(at.date() - timedelta(days=1) if is_before else at.date())
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
