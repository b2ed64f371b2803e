"""Shifts: long runs that work under a lease and tell what they did while they do it.

Thin: a deadline, one service call, one line of metadata a minute. A shift is an op and no asset, because its
result is not one table at its end but what it keeps true meanwhile. The pattern for every shift: the service
takes the lease and gives it back whatever ends the run, `owner` is the run, and nothing is retried by
Dagster: the sensor starts the next one.
"""

from datetime import datetime, timedelta

import dagster as dg
from pydantic import Field

from assets.metadata import asset_key, holes_text
from trading.ports.model_runner import TableName
from trading.services.run_coverage_shift import CoverageTools, Sweep, run_coverage_shift

COVERAGE = TableName(database="core", table="coverage")
SHIFT_MINUTES = 240
TOLD_EVERY = timedelta(minutes=1)  # every event of a run is a row in its database


class ShiftHours(dg.Config):
    """How long a shift is."""

    minutes: float = Field(default=SHIFT_MINUTES, gt=0, le=24 * 60)


class _Telling:
    """Says a minute at a time how the session is covered, and at once when that changed."""

    def __init__(self, context: dg.OpExecutionContext) -> None:
        self._context = context
        self._told_at: datetime | None = None
        self._said: tuple[object, ...] = ()

    def __call__(self, sweep: Sweep) -> None:
        """Log one step, unless it says what was said in this minute."""
        says = (sweep.outcome, sweep.holes > 0)
        due = self._told_at is None or sweep.at - self._told_at >= TOLD_EVERY
        if due or says != self._said:
            self._told_at, self._said = sweep.at, says
            self._context.log_event(
                dg.AssetMaterialization(asset_key(COVERAGE), metadata=_sweep_metadata(sweep))
            )


@dg.op(name="sweep_and_cover", description="Sweeps executions and names the hours that nobody told.")
def sweep_and_cover(
    context: dg.OpExecutionContext, config: ShiftHours, coverage: dg.ResourceParam[CoverageTools]
) -> None:
    """Work until the shift's end."""
    deadline = coverage.clock.now() + timedelta(minutes=config.minutes)
    report = run_coverage_shift(coverage, f"run:{context.run_id}", deadline, _Telling(context))
    context.log.info(f"shift_ended steps={report.steps} fencing={report.fencing}")


def _sweep_metadata(sweep: Sweep) -> dict[str, dg.MetadataValue]:
    return {
        "sweep": dg.MetadataValue.text(str(sweep.outcome or sweep.reason)),
        "sweep_seconds": dg.MetadataValue.float(round(sweep.took.total_seconds(), 3)),
        "broker_at": dg.MetadataValue.text(sweep.broker_at.isoformat()),
        "session": dg.MetadataValue.text(", ".join(sorted({str(item.session) for item in sweep.coverage}))),
        "accounts": dg.MetadataValue.int(len(sweep.coverage)),
        "holes": dg.MetadataValue.int(sweep.holes),
        "hole_seconds": dg.MetadataValue.int(sum(item.hole_seconds for item in sweep.coverage)),
        "holes by account": dg.MetadataValue.md(holes_text(sweep.coverage)),
    }
