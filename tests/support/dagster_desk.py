"""The definitions driven in-process: sensor ticks, jobs, and what they left behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from adapters.clickhouse.client import Warehouse
from orchestration.definitions import defs
from orchestration.resources import RESOURCES
from sensors.inbox import books, inbox

DEFINITIONS: dg.Definitions = defs() if callable(defs) else defs


@dataclass(slots=True)
class Desk:
    """A desk of one test module."""

    home: Path
    warehouse: Warehouse
    instance: dg.DagsterInstance
    cursor: str | None = None

    @property
    def inbox(self) -> Path:
        """The folder that the sensor watches."""
        folder = self.home / "inbox"
        folder.mkdir(exist_ok=True)
        return folder

    def tick(self) -> Any:
        """One tick of the sensor `inbox`, on from the last one's cursor."""
        answer = self._tick(inbox, self.cursor)
        self.cursor = answer.cursor
        return answer

    def tick_books(self) -> Any:
        """One tick of the sensor `books`."""
        return self._tick(books, None)

    def run(
        self, job: str, config: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run a job to its end; a failure is for the test to see."""
        return DEFINITIONS.resolve_job_def(job).execute_in_process(
            instance=self.instance, run_config=dict(config or {}), tags=dict(tags or {}), raise_on_error=False
        )

    def request(self, answer: Any) -> dg.ExecuteInProcessResult:
        """Run what a tick asked for."""
        (asked,) = answer.run_requests
        return self.run(asked.job_name, asked.run_config, asked.tags)

    def land(self, *files: Path) -> dg.ExecuteInProcessResult:
        """Drop files into the inbox and land them."""
        for file in files:
            (self.inbox / file.name).write_bytes(file.read_bytes())
        self.tick()
        return self.request(self.tick())

    def close_range(self, first: str, last: str, job: str = "close_the_books") -> dg.ExecuteInProcessResult:
        """Close a range of sessions."""
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        return self.run(job, tags=tags)

    def landed(self) -> dict[str, dict[str, Any]]:
        """What became of each file, by name."""
        return {row["name"]: row for row in self.warehouse.rows("select * from audit.landed_files")}

    def _tick(self, sensor: dg.SensorDefinition, cursor: str | None) -> Any:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=cursor, definitions=DEFINITIONS, resources=RESOURCES
        )
        with context:
            return sensor.evaluate_tick(context)


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """The steps that failed, with their errors."""
    events = (event for event in result.all_events if event.event_type_value == "STEP_FAILURE")
    return [f"{event.step_key}: {event.event_specific_data.error}" for event in events]


def failed_checks(result: dg.ExecuteInProcessResult) -> set[str]:
    """The names of checks that did not pass."""
    return {item.check_name for item in result.get_asset_check_evaluations() if not item.passed}
