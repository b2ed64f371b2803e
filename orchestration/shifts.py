"""The jobs of shifts: one run at a time of each, never retried, ended by their own deadline.

Three guards keep two of one kind from working: the lease with its fencing number (which decides), the limit
of one run for each `desk/kind`, and the run key of the sensor.
"""

import dagster as dg

from assets.shifts import SHIFT_MINUTES, sweep_and_cover

BACKSTOP_S = 10 * 60  # beyond a shift's own deadline; a run that hangs is ended then
SHIFT_TAGS = {
    "dagster/max_retries": "0",  # the sensor starts the next one, with a new key
    "dagster/max_runtime": str(SHIFT_MINUTES * 60 + BACKSTOP_S),
}


@dg.job(
    name="coverage_shift",
    description=(
        "Asks the broker for its executions every minute and says which hours of the session nobody told; "
        "started by the sensor `residents`."
    ),
    tags={**SHIFT_TAGS, "desk/kind": "coverage_shift"},
    executor_def=dg.in_process_executor,
)
def coverage_shift() -> None:
    """One step that lasts as long as the shift."""
    sweep_and_cover()


SHIFTS = (coverage_shift,)
