"""Dagster as three services of the stack: code server, webserver, daemon; a killed daemon leaves the runs
alone.

Belongs here: the instance's configuration, the commands, the readiness questions. Keep out: assets and jobs;
they are loaded by the code server from CODE_LOCATION_MODULE, and asked for over GraphQL.
"""

import contextlib
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from desk.dagster_api import DagsterApi
from desk.stack.layout import StackLayout
from desk.stack.passwords import write_private
from desk.stack.ports import LOOPBACK, accepts_connections
from desk.stack.service import Service
from trading.errors import DeskError

CODE_SERVER = "code-server"
WEBSERVER = "webserver"
DAEMON = "daemon"
CODE_LOCATION_MODULE = "orchestration.definitions"
EVENT_LOG = ("orchestration.event_log", "WideRunEventLog")  # module and class
EVENTS_PER_COMMIT_MAX = 1_000  # of what one step says of many sessions
LOCATION_NAME = "desk"
DATABASES = ("schedules/schedules.db", "history/runs.db", "history/runs/index.db")
START_TIMEOUT_S = 900  # on a busy machine; a run that has not begun by then is failed
FREE_SLOTS_AFTER_S = 1
UNREACHABLE = "UserCodeUnreachable"  # part of the name of Dagster's error
STOP_GRACE_S = 8.0  # measured: about 1 s
KIND_TAG = "desk/kind"  # landing, books: two runs of one kind never overlap


def dagster_url(port: int) -> str:
    """The address of the UI and of GraphQL."""
    return f"http://{LOOPBACK}:{port}"


def write_instance(layout: StackLayout, concurrent_runs_max: int, code_server_port: int) -> None:
    """Write dagster.yaml and the workspace that names the code server."""
    text = yaml.safe_dump(_instance(concurrent_runs_max, layout.dagster), sort_keys=False)
    write_private(layout.dagster / "dagster.yaml", "# Written by `desk up`.\n" + text)
    server = {"host": LOOPBACK, "port": code_server_port, "location_name": LOCATION_NAME}
    write_private(layout.workspace_file, yaml.safe_dump({"load_from": [{"grpc_server": server}]}))


def databases_are_made(dagster_home: Path) -> bool:
    """Whether each database of the instance is there with its version."""
    return all(_versions_in(dagster_home / name) == 1 for name in DATABASES)


def dagster_services(
    layout: StackLayout,
    environment: Mapping[str, str],
    code_server_port: int,
    webserver_port: int,
    needs: tuple[str, ...],
) -> tuple[Service, ...]:
    """The three services; `needs` are the stores that runs will ask for."""
    shared = {
        **environment,
        "DAGSTER_HOME": str(layout.dagster),
        "DAGSTER_EVENT_BATCH_SIZE": str(EVENTS_PER_COMMIT_MAX),
    }
    api = DagsterApi(dagster_url(webserver_port))
    workspace = ("-w", str(layout.workspace_file))
    return (
        Service(
            name=CODE_SERVER,
            command=(
                _script("dagster"), "code-server", "start", "-h", LOOPBACK, "-p", str(code_server_port),
                "-m", CODE_LOCATION_MODULE, "--use-python-environment-entry-point", "--location-name",
                LOCATION_NAME, ),
            environment=shared,
            port=code_server_port,
            is_ready=lambda _: accepts_connections(LOOPBACK, code_server_port),
            stop_grace_s=STOP_GRACE_S,
        ),
        Service(
            name=WEBSERVER,
            command=(_script("dagster-webserver"), "-h", LOOPBACK, "-p", str(webserver_port), *workspace),
            environment=shared,
            # In a fresh home the code server makes the instance's databases before it is ready; two processes
            # that make them at once leave them with two versions. Later both start at once, to save time.
            needs=() if databases_are_made(layout.dagster) else (CODE_SERVER,),
            port=webserver_port,
            url=dagster_url(webserver_port),
            is_ready=lambda _: _has_reached_code_server(api),
            stop_grace_s=STOP_GRACE_S,
        ),
        Service(
            name=DAEMON,
            command=(_script("dagster-daemon"), "run", *workspace),
            environment=shared,
            # A code server that it does not reach at start is tried again only after a minute.
            needs=(*needs, CODE_SERVER, WEBSERVER),
            is_ready=lambda started_at: _daemons_beat_since(api, started_at),
            stop_grace_s=STOP_GRACE_S,
        ),
    )  # fmt: skip


def _has_reached_code_server(api: DagsterApi) -> bool:
    """Whether the webserver serves and has heard of the code server, be it that its code does not load.

    It starts beside the code server to save time, and looks for it again by itself.
    """
    try:
        locations = api.locations() if api.is_answering() else []
    except DeskError:
        return False
    return bool(locations) and not any(UNREACHABLE in (location.error or "") for location in locations)


def _daemons_beat_since(api: DagsterApi, started_at: float) -> bool:
    """Whether every required daemon has reported since the process began (old reports survive a crash)."""
    try:
        return api.oldest_daemon_heartbeat() > started_at
    except DeskError:
        return False


def _versions_in(database: Path) -> int:
    if not database.exists():
        return 0
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            (count,) = connection.execute("select count(*) from alembic_version").fetchone()
    except sqlite3.Error:
        return 0
    return int(count)


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _instance(concurrent_runs_max: int, dagster_home: Path) -> dict[str, object]:
    module, name = EVENT_LOG
    events = dagster_home / Path(DATABASES[-1]).parent
    return {
        "telemetry": {"enabled": False},
        "event_log_storage": {"module": module, "class": name, "config": {"base_dir": str(events)}},
        "nux": {"enabled": False},  # the community dialog would cover the first page
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {
                "dequeue_interval_seconds": 1,  # the default of 5 s would be half of a run's start
                "dequeue_use_threads": True,
            },
        },
        "concurrency": {
            "pools": {"default_limit": 1},  # a pool is named because its steps must not overlap
            "runs": {
                "max_concurrent_runs": concurrent_runs_max,
                "tag_concurrency_limits": [
                    {"key": KIND_TAG, "limit": 1, "value": {"applyLimitPerUniqueValue": True}}
                ],
            },
        },
        "run_monitoring": {
            "enabled": True,
            "poll_interval_seconds": 10,
            "start_timeout_seconds": START_TIMEOUT_S,
            # A run that was killed keeps its place in a pool of one, and every later run would wait for it.
            "free_slots_after_run_end_seconds": FREE_SLOTS_AFTER_S,
        },
        "retention": {
            "sensor": {"purge_after_days": {"skipped": 1, "success": 7, "failure": 30}},
            "schedule": {"purge_after_days": {"skipped": 7, "success": 30, "failure": 90}},
        },
    }
