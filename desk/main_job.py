"""The main job: files into the inbox, landed and booked by Dagster, watched until nothing is left to do.

The sensors do the work; this only waits for it, with bounds: it gives up when nothing moves for STALL_S.
When nothing was new, a run over all sessions is launched all the same, to show that repeating everything
adds nothing. Keep out: what is printed, what a sample desk is.
"""

import hashlib
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.landing_log import ClickHouseLandingLog
from adapters.inbox.folder import FolderInbox
from desk.answers import Advance
from desk.dagster_api import IN_FLIGHT, RANGE_END, RANGE_START, DagsterApi, RunView
from trading.errors import InvalidFieldError, TransientError
from trading.ports.inbox import LandingState
from trading.settings import Settings

BOOKS_JOB = "close_the_books"
POLL_S = 0.5
LOG_EVERY_S = 3.0  # while a run is under way: the warehouse has its questions to answer
STALL_S = 600.0  # nothing moved for this long: a sensor is off, or the daemon is not running
TOTAL_S = 3600.0
COUNTED = (
    "core.fill_revisions",
    "core.fills",
    "core.broker_statements",
    "core.pnl_daily",
    "core.break_events",
)


class JobStalledError(TransientError):
    """Dagster did not do the work; the message says what waits and where to look."""


class RunFailedError(TransientError):
    """A run ended without success; the message names it and its error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What the main job saw."""

    files: int
    contents: tuple[str, ...]
    files_new: int
    refused: int
    runs: tuple[RunView, ...]
    rows_before: Mapping[str, int]
    rows_after: Mapping[str, int]

    @property
    def rows_added(self) -> Mapping[str, int]:
        """New rows by table."""
        return {table: self.rows_after[table] - self.rows_before[table] for table in self.rows_after}


def copy_into_inbox(source: Path, settings: Settings) -> int:
    """Copy what counts of a folder into the inbox under the same names; what is there already stays. Returns
    how many.

    The originals stay untouched. A copy appears whole, under its name, when it is complete.
    """
    if not source.is_dir():
        raise InvalidFieldError("--inbox", "a folder that exists", str(source))
    names = FolderInbox(source, settings.paths.archive, file_bytes_max=settings.inbox.file_bytes_max).stamps()
    copied = 0
    for name in names:
        origin, target = source / name, settings.paths.inbox / name
        if target.exists() and _digest(target) == _digest(origin):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        shutil.copyfile(origin, part)
        part.replace(target)
        copied += 1
    return copied


def run_main_job(settings: Settings, warehouse: Warehouse, api: DagsterApi, advance: Advance) -> JobReport:
    """Wait until every file of the inbox is landed and its sessions are closed; then say what that added."""
    log = ClickHouseLandingLog(warehouse)
    began = time.time()
    contents = _contents_of_inbox(settings)
    known = log.latest(contents)
    before = _row_counts(warehouse)
    if set(known) >= contents and not _waiting(log, contents):
        _repeat_everything(warehouse, api, advance)
    else:
        _watch(log, contents, api, advance, began)
    states = log.latest(contents)
    return JobReport(
        files=len(contents),
        contents=tuple(sorted(contents)),
        files_new=len(contents - set(known)),
        refused=sum(state is LandingState.REFUSED for state in states.values()),
        runs=tuple(run for run in api.runs() if run.created_at >= began),
        rows_before=before,
        rows_after=_row_counts(warehouse),
    )


def _watch(
    log: ClickHouseLandingLog, contents: Collection[str], api: DagsterApi, advance: Advance, began: float
) -> None:
    """Follow the sensors until every file is reconciled or refused and no run is under way."""
    deadline = time.monotonic() + TOTAL_S
    moved_at, last, asked_at = time.monotonic(), None, float("-inf")
    while time.monotonic() < deadline:
        flying = api.runs(IN_FLIGHT)  # first: what a run that is over has done is then in the log
        if not flying or time.monotonic() - asked_at >= LOG_EVERY_S:
            states, waiting, asked_at = log.latest(contents), _waiting(log, contents), time.monotonic()
        if len(states) >= len(contents) and not waiting and not flying:
            _raise_on_failure(api, [run for run in api.runs() if run.created_at >= began])
            return
        seen = (len(states), len(waiting), [(run.run_id, run.status, run.steps_done) for run in flying])
        if seen != last:
            moved_at, last = time.monotonic(), seen
        elif time.monotonic() - moved_at > STALL_S:
            raise JobStalledError(_stalled(api, len(contents) - len(states), len(waiting), began))
        _tell(advance, len(states), len(contents), flying)
        time.sleep(POLL_S)
    raise JobStalledError(f"not done after {TOTAL_S:.0f} s; look at {api.url}/runs")


def _repeat_everything(warehouse: Warehouse, api: DagsterApi, advance: Advance) -> None:
    bounds = _sessions(warehouse)
    if bounds is None:
        return
    first, last = (bound.isoformat() for bound in bounds)
    run_to_its_end(
        api, BOOKS_JOB, {RANGE_START: first, RANGE_END: last}, f"repeating {first} to {last}", advance
    )


def run_to_its_end(api: DagsterApi, job: str, tags: Mapping[str, str], what: str, advance: Advance) -> None:
    """Launch a job and wait for it; raises RunFailedError, or JobStalledError after TOTAL_S."""
    run_id = api.launch(job, tags)
    deadline = time.monotonic() + TOTAL_S
    while time.monotonic() < deadline:
        run = api.run(run_id)
        advance(f"{what}: {run.steps_done} steps", 0, None)
        if run.is_finished:
            _raise_on_failure(api, [run])
            return
        time.sleep(POLL_S)
    raise JobStalledError(f"not done after {TOTAL_S:.0f} s; look at {api.run_url(run_id)}")


def _raise_on_failure(api: DagsterApi, runs: list[RunView]) -> None:
    """A failed run counts unless a later one of the same job succeeded: sensors try again."""
    newest: dict[str, RunView] = {}
    for run in sorted(runs, key=lambda run: run.created_at):
        newest[run.job] = run
    for run in newest.values():
        if run.status != "SUCCESS":
            raise RunFailedError(
                f"{run.job} ended as {run.status}: {api.failure(run.run_id)}; see {api.run_url(run.run_id)}"
            )


def _tell(advance: Advance, landed: int, files: int, flying: list[RunView]) -> None:
    booking = next((run for run in flying if run.job == BOOKS_JOB), None)
    if booking is not None:
        advance(f"booking {booking.first} to {booking.last}: {booking.steps_done} steps", landed, files)
    else:
        advance("landing files" if landed < files else "waiting for the books", landed, files)


def _stalled(api: DagsterApi, unseen: int, waiting: int, began: float) -> str:
    failed = [run for run in api.runs(("FAILURE", "CANCELED")) if run.created_at >= began]
    reason = f"; the last failed run: {api.failure(failed[0].run_id)}" if failed else ""
    return (
        f"nothing moved for {STALL_S:.0f} s: {unseen} files have not landed, {waiting} wait for their books. "
        f"Are the sensors `inbox` and `books` running? See {api.url}/automation{reason}"
    )


def _waiting(log: ClickHouseLandingLog, contents: Collection[str]) -> list[str]:
    return [landing.file.sha256 for landing in log.unreconciled() if landing.file.sha256 in contents]


def _contents_of_inbox(settings: Settings) -> set[str]:
    inbox = FolderInbox(
        settings.paths.inbox, settings.paths.archive, file_bytes_max=settings.inbox.file_bytes_max
    )
    return {_digest(settings.paths.inbox / name) for name in inbox.stamps()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sessions(warehouse: Warehouse) -> tuple[date, date] | None:
    (row,) = warehouse.rows(sql.query("sessions_bounds"))
    return (row["first"], row["last"]) if row["sessions"] else None


def _row_counts(warehouse: Warehouse) -> dict[str, int]:
    return {table: int(warehouse.value(f"select count() from {table}")) for table in COUNTED}
