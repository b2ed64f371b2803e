"""Two sensors: `inbox` sees new files that stood still; `books` sees landed files whose sessions wait to be
closed.

A run per file would start sixteen runs a minute at best, so a tick asks for one run that lands all that is
ready, up to a bound. Its key is the hash of the contents (of one file: the file's own), so a tick that is
repeated asks for the same run. A run that ended without landing its files is asked for again under the next
attempt, up to a bound.
"""

import json
from collections.abc import Mapping
from hashlib import sha256

import dagster as dg

from assets.landing import LandFiles, NamedFile, ReadAgain
from assets.sessions import FIRST_SESSION
from trading.ports.inbox import FileStamp, InboxFile
from trading.services.land_files import LandingTools, find_pending, sessions_to_close
from trading.settings import Settings

TICK_S = 5  # the daemon's floor
ATTEMPTS_MAX = 5  # runs for one content or range; after that a person looks
IN_FLIGHT = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
WORK_TAG = "desk/work"  # names what a run is for, over all its attempts


@dg.sensor(
    name="inbox",
    job_name="land_inbox",
    minimum_interval_seconds=TICK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Lands files that stood still for two ticks and whose content is new.",
)
def inbox(
    context: dg.SensorEvaluationContext,
    landing: dg.ResourceParam[LandingTools],
    settings: dg.ResourceParam[Settings],
) -> dg.SensorResult:
    """Ask for one run that lands what is ready."""
    is_landing = _is_busy(context, "land_inbox")  # asked first: what lands meanwhile is then in the log
    before = _stamps(context.cursor)
    pending = find_pending(
        landing.inbox, landing.log, landing.clock, before, settings.inbox.files_per_tick_max
    )
    if is_landing or not pending.files:
        looked = f"{len(pending.stamps)} files, {len(pending.files)} of them new and standing still"
        return dg.SensorResult(skip_reason=f"{looked}; one landing at a time", cursor=_cursor(pending.stamps))
    return dg.SensorResult(
        run_requests=_requests(context, _work_of(pending.files), "land_inbox", _land_config(pending.files)),
        cursor=_cursor(pending.stamps),
    )


@dg.sensor(
    name="books",
    job_name="close_the_books",
    minimum_interval_seconds=TICK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Closes the sessions that landed files touch, as soon as nothing lands any more.",
)
def books(
    context: dg.SensorEvaluationContext, landing: dg.ResourceParam[LandingTools]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for one run over the sessions of all files that wait."""
    if _is_busy(context, "land_inbox", "close_the_books"):
        return dg.SkipReason("files are landing or sessions are being closed")
    waiting = landing.log.unreconciled()
    sessions = sessions_to_close(waiting)
    if sessions is None:
        return dg.SkipReason("no landed file waits")
    bounds = (sessions.first, sessions.last)
    first, last = (max(session, FIRST_SESSION).isoformat() for session in bounds)
    work = _digest([f"{item.file.sha256}:{item.at.isoformat()}" for item in waiting])
    config = dg.RunConfig(ops={"record_sessions": ReadAgain(archive=False)})
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    return dg.SensorResult(run_requests=_requests(context, work, "close_the_books", config, tags))


def _requests(
    context: dg.SensorEvaluationContext,
    work: str,
    job_name: str,
    config: dg.RunConfig,
    tags: Mapping[str, str] | None = None,
) -> list[dg.RunRequest]:
    """The next attempt at a piece of work that is still undone; none while one runs, or after too many."""
    runs = context.instance.get_runs(dg.RunsFilter(tags={WORK_TAG: work}), limit=ATTEMPTS_MAX)
    if len(runs) >= ATTEMPTS_MAX or any(run.status in IN_FLIGHT for run in runs):
        return []
    run_key = work if not runs else f"{work}:{len(runs) + 1}"
    return [
        dg.RunRequest(
            run_key=run_key, job_name=job_name, run_config=config, tags={**(tags or {}), WORK_TAG: work}
        )
    ]


def _is_busy(context: dg.SensorEvaluationContext, *jobs: str) -> bool:
    filters = (dg.RunsFilter(job_name=name, statuses=list(IN_FLIGHT)) for name in jobs)
    return any(context.instance.get_runs_count(item) for item in filters)


def _work_of(files: tuple[InboxFile, ...]) -> str:
    return files[0].sha256 if len(files) == 1 else _digest([file.sha256 for file in files])


def _digest(parts: list[str]) -> str:
    return sha256("\n".join(sorted(parts)).encode()).hexdigest()


def _land_config(files: tuple[InboxFile, ...]) -> dg.RunConfig:
    named = [NamedFile(name=file.name, sha256=file.sha256, size_bytes=file.size_bytes) for file in files]
    return dg.RunConfig(ops={"land_files": LandFiles(files=named)})


def _stamps(cursor: str | None) -> dict[str, FileStamp]:
    try:
        seen = json.loads(cursor or "{}")
        return {
            name: FileStamp(size_bytes=int(size), modified_ns=int(when))
            for name, (size, when) in seen.items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}  # a cursor of another release: look twice again


def _cursor(stamps: Mapping[str, FileStamp]) -> str:
    return json.dumps({name: [stamp.size_bytes, stamp.modified_ns] for name, stamp in sorted(stamps.items())})
