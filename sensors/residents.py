"""The sensor `residents`: do the resident processes live, and does somebody work the shift?

It asks Redis, which takes less than a millisecond, and the run list only where the lease is free. What is
wrong fails the tick, where people see it, and is an alert; the processes are restarted by their supervisor,
shifts are started here. A shift that ends by itself is followed by the next one. Without the broker session
or the drain there is no shift; without those that hear the market there is, for fills are booked without it.
On a desk without any resident, where no drain does it, the tick takes alerts to the warehouse.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import dagster as dg

from sensors.inbox import IN_FLIGHT, TICK_S
from trading.ports.alerts import Alerts
from trading.ports.clock import Clock
from trading.ports.live_state import LiveState
from trading.services.drain_alerts import AlertDrainTools, drain_alerts
from trading.services.run_coverage_shift import COMPONENT, SHARD
from trading.services.supervise import (
    BROKER_RESIDENTS,
    MARKET_RESIDENTS,
    Supervision,
    broker_residents,
    look_after_residents,
    market_residents,
)
from trading.settings import Settings

JOB = "coverage_shift"
SHIFT_TAG = "desk/shift"  # names the day's shifts, which are numbered
STARTS_PER_WINDOW_MAX = 8  # shifts that end as soon as they begin are for a person to look at
WINDOW = timedelta(minutes=10)


@dg.sensor(
    name="residents",
    job_name=JOB,
    minimum_interval_seconds=TICK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Raises what is wrong with the broker session and the drain, and starts the next shift.",
)
def residents(
    context: dg.SensorEvaluationContext,
    settings: dg.ResourceParam[Settings],
    live_state: dg.ResourceParam[LiveState],
    alerts: dg.ResourceParam[Alerts],
    clock: dg.ResourceParam[Clock],
    alert_drain: dg.ResourceParam[AlertDrainTools],
) -> dg.SensorResult | dg.SkipReason:
    """Look, tell, and ask for a shift where nobody works it."""
    of_broker, of_market = broker_residents(settings), market_residents(settings)
    if not of_broker and not of_market:
        _tell_of(alerts, None)
        drain_alerts(alert_drain.queue, alert_drain.record, alert_drain.alerts)
        return dg.SkipReason("no broker is configured, and no vendor")
    now, known = clock.now(), _missing(context.cursor)
    seen = look_after_residents(live_state, (*of_broker, *of_market), known, now, COMPONENT, SHARD)
    _tell_of(alerts, seen)
    if fault := seen.text(of_broker):
        raise dg.DagsterError(fault)
    deaf = seen.text(of_market)
    cursor = json.dumps({name: since.isoformat() for name, since in sorted(seen.missing.items())})
    result = _shift(context, alerts, now, seen, of_broker, cursor)
    if deaf and not result.run_requests:
        raise dg.DagsterError(deaf)
    return result


def _tell_of(alerts: Alerts, seen: Supervision | None) -> None:
    """Each tick says how it is: an alert is open while there is a fault. Who is not expected has none."""
    codes = {"residents": BROKER_RESIDENTS} | {f"residents-{name}": (name,) for name in MARKET_RESIDENTS}
    for code, names in codes.items():
        fault = "" if seen is None else seen.text(names)
        if fault:
            alerts.raise_alert(code, fault)
        else:
            alerts.end_alert(code, "they say that they live, or are not expected any more")


def _shift(
    context: dg.SensorEvaluationContext,
    alerts: Alerts,
    now: datetime,
    seen: Supervision,
    of_broker: Sequence[str],
    cursor: str,
) -> dg.SensorResult:
    """The next shift, or why there is none now."""
    silent = sorted(name for name in seen.missing if name in of_broker)
    if silent:
        return dg.SensorResult(
            skip_reason=f"{', '.join(silent)} did not say yet that it lives", cursor=cursor
        )
    if not of_broker:
        return dg.SensorResult(skip_reason="no broker is configured", cursor=cursor)
    if seen.shift is not None:
        alerts.end_alert("shifts", f"{seen.shift.owner} works the shift")
        return dg.SensorResult(skip_reason=f"{seen.shift.owner} works the shift", cursor=cursor)
    return _next_shift(context, alerts, now, cursor)


def _next_shift(
    context: dg.SensorEvaluationContext, alerts: Alerts, now: datetime, cursor: str
) -> dg.SensorResult:
    """The next numbered run, unless one is on its way or too many ended at once."""
    coming = dg.RunsFilter(job_name=JOB, statuses=list(IN_FLIGHT))
    if context.instance.get_runs_count(coming):
        return dg.SensorResult(skip_reason="a shift is on its way", cursor=cursor)
    lately = dg.RunsFilter(job_name=JOB, created_after=now - WINDOW)
    if context.instance.get_runs_count(lately) >= STARTS_PER_WINDOW_MAX:
        text = f"{JOB}: {STARTS_PER_WINDOW_MAX} shifts began within {WINDOW}; none goes on"
        alerts.raise_alert("shifts", text)
        raise dg.DagsterError(text)
    name = f"coverage:ibkr:{now:%Y-%m-%d}"
    number = context.instance.get_runs_count(dg.RunsFilter(job_name=JOB, tags={SHIFT_TAG: name})) + 1
    request = dg.RunRequest(run_key=f"{name}:{number}:{now:%H%M}", job_name=JOB, tags={SHIFT_TAG: name})
    return dg.SensorResult(run_requests=[request], cursor=cursor)


def _missing(cursor: str | None) -> Mapping[str, datetime]:
    """Since when each is missing, as the tick before knew it."""
    try:
        told = json.loads(cursor or "{}")
        return {str(name): datetime.fromisoformat(since) for name, since in told.items()}
    except (ValueError, TypeError, AttributeError):
        return {}  # a cursor of another release
