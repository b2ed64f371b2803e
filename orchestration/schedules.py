"""Schedules by the exchange's calendar: provisional after each close, final on the morning after.

Each pass has two: one fetches the broker's statement where a token is configured, one compares with what is
there. A statement that is landed triggers its session by itself.

A cron line knows no early close, so the schedules tick through the hours in question and ask which session
is due; all other ticks are skipped with a reason.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from assets.sessions import FIRST_SESSION
from orchestration.fetching import not_configured
from trading.model.times import NEW_YORK
from trading.ports.model_runner import SessionRange
from trading.ports.statement_source import StatementQuery
from trading.services.fetch_statements import FetchTools, is_told
from trading.services.reconcile_books import ReconcileTools
from trading.services.sessions_due import (
    confirmation_due,
    fetch_due,
    final_due,
    provisional_due,
    unsettled_sessions,
)

TICK = timedelta(minutes=15)
AFTER_CLOSES = "*/15 12-19 * * 1-5"  # early closes are at 13:00, the last due time is 16:45
MORNINGS = "*/15 6-9 * * 2-6"  # Saturday settles Friday


@dg.schedule(
    name="provisional_reconciliation",
    job_name="reconcile_session",
    cron_schedule=AFTER_CLOSES,
    execution_timezone=str(NEW_YORK),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="45 minutes after the close: live executions and Trade Confirmations; no sign-off.",
)
def provisional(
    context: dg.ScheduleEvaluationContext, reconciliation: dg.ResourceParam[ReconcileTools]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the session that closed."""
    at = _scheduled_at(context)
    session = provisional_due(at, reconciliation.settings, TICK)
    if session is None:
        yield dg.SkipReason(
            f"no session is due for its provisional pass at {at.astimezone(NEW_YORK):%a %H:%M}"
        )
    else:
        yield _request("provisional", SessionRange(first=session, last=session), at)


@dg.schedule(
    name="final_reconciliation",
    job_name="reconcile_session",
    cron_schedule=MORNINGS,
    execution_timezone=str(NEW_YORK),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "06:30 on the next morning, repeated to 09:00 while a statement is awaited; missed sessions too."
    ),
)
def final(
    context: dg.ScheduleEvaluationContext, reconciliation: dg.ResourceParam[ReconcileTools]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for every session up to yesterday's that is not settled."""
    at = _scheduled_at(context)
    session = final_due(at, reconciliation.settings)
    stores = reconciliation.stores
    sessions = unsettled_sessions(stores.fills, stores.breaks, session) if session else None
    if sessions is None:
        yield dg.SkipReason("outside of the hours of the final pass, or every session is settled")
    else:
        yield _request("final", sessions, at)


@dg.schedule(
    name="fetch_confirmations",
    job_name="fetch_statements",
    cron_schedule=AFTER_CLOSES,
    execution_timezone=str(NEW_YORK),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="45 minutes after the close, repeated for an hour: the Trade Confirmations of the session.",
)
def fetch_confirmations(
    context: dg.ScheduleEvaluationContext,
    fetching: dg.ResourceParam[FetchTools],
    reconciliation: dg.ResourceParam[ReconcileTools],
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the session that closed."""
    at = _scheduled_at(context)
    session = confirmation_due(at, reconciliation.settings)
    yield _asked(StatementQuery.CONFIRMATION, session, at, fetching, reconciliation)


@dg.schedule(
    name="fetch_activity",
    job_name="fetch_statements",
    cron_schedule=MORNINGS,
    execution_timezone=str(NEW_YORK),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="06:30 on the next morning, repeated to 09:00 until the Activity statement is here.",
)
def fetch_activity(
    context: dg.ScheduleEvaluationContext,
    fetching: dg.ResourceParam[FetchTools],
    reconciliation: dg.ResourceParam[ReconcileTools],
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for yesterday's session while an account lacks it."""
    at = _scheduled_at(context)
    session = fetch_due(at, reconciliation.settings, TICK)
    yield _asked(StatementQuery.ACTIVITY, session, at, fetching, reconciliation)


def _asked(
    query: StatementQuery,
    session: date | None,
    at: datetime,
    fetching: FetchTools,
    reconciliation: ReconcileTools,
) -> dg.RunRequest | dg.SkipReason:
    stores = reconciliation.stores
    if session is None:
        return dg.SkipReason(f"no session's {query} statement is due now")
    if query not in fetching.source.configured():
        return dg.SkipReason(not_configured(query))
    if is_told(query, session, stores.statements, stores.fills.accounts()):
        return dg.SkipReason(f"the {query} statement of {session} is here")
    return dg.RunRequest(
        run_key=f"fetch:{query}:{session}:{at.astimezone(UTC):%Y%m%dT%H%M}",
        run_config={"ops": {"fetch_statement": {"config": {"query": str(query), "session": str(session)}}}},
        tags={"desk/session": str(session), "desk/query": str(query)},
    )


def _request(kind: str, sessions: SessionRange, at: datetime) -> dg.RunRequest:
    first = max(sessions.first, FIRST_SESSION)
    return dg.RunRequest(
        run_key=f"{kind}:{first}:{sessions.last}:{at.astimezone(UTC):%Y%m%dT%H%M}",
        tags={
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": sessions.last.isoformat(),
            "desk/pass": kind,
        },
    )


def _scheduled_at(context: dg.ScheduleEvaluationContext) -> datetime:
    return context.scheduled_execution_time.astimezone(UTC)


SCHEDULES = (provisional, final, fetch_confirmations, fetch_activity)
