"""Dagster as the command line sees it: a GraphQL server over HTTP. Never imports dagster.

Belongs here: queries and their answers as values. Keep out: what a job means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from trading.errors import PermanentError, TransientError

QUERY_TIMEOUT_S = 30.0
QUERY_ATTEMPTS_MAX = 4  # of a question that timed out: a busy machine answers late, asking again is harmless
LAUNCH_TIMEOUT_S = 300.0  # the plan is stored before the answer; asked once only
PROBE_TIMEOUT_S = 2.0
FINISHED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
WITH_A_PROCESS = ("STARTING", "STARTED", "CANCELING")
IN_FLIGHT = ("QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "CANCELING")
RUNS_MAX = 100
ERROR_DEPTH_MAX = 10  # errors are chained
PARTITION = "dagster/partition"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


class DagsterUnavailableError(TransientError):
    """The Dagster webserver cannot be reached now."""


class DagsterRefusedError(PermanentError):
    """Dagster understood and said no; the message is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedLocation:
    """One code location: its repository, or the reason why it did not load."""

    name: str
    repository: str | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run."""

    run_id: str
    job: str
    status: str
    first: str | None  # partition, or first of its range
    last: str | None
    created_at: float  # seconds since the epoch
    updated_at: float
    steps_done: int

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in FINISHED


class DagsterApi:
    """The GraphQL endpoint of one webserver."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        # httpx reads the trusted certificates for every question, 20 ms, also where it speaks plainly.
        self._asking: dict[str, Any] = {"trust_env": False, "verify": url.lower().startswith("https:")}

    def is_answering(self) -> bool:
        """Whether the webserver serves."""
        try:
            answer = httpx.get(f"{self.url}/server_info", timeout=PROBE_TIMEOUT_S, **self._asking)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK and "dagster_webserver_version" in answer.text

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """Run one GraphQL document; DagsterUnavailableError when unreachable, DagsterRefusedError on its
        errors. A question that times out is asked again, up to a bound.
        """
        for attempt in range(1, QUERY_ATTEMPTS_MAX + 1):
            try:
                return self._post(text, variables, QUERY_TIMEOUT_S)
            except DagsterUnavailableError as error:
                if attempt == QUERY_ATTEMPTS_MAX or not isinstance(error.__cause__, httpx.TimeoutException):
                    raise
        raise AssertionError("the last attempt answers or raises")

    def _post(self, text: str, variables: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        document = {"query": text, "variables": variables}
        try:
            answer = httpx.post(f"{self.url}/graphql", json=document, timeout=timeout_s, **self._asking)
            content = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DagsterUnavailableError(
                f"dagster at {self.url}: {error or type(error).__name__}"
            ) from error
        if content.get("errors"):
            raise DagsterRefusedError(f"dagster at {self.url}: {content['errors'][0].get('message')}")
        data: dict[str, Any] = content["data"]
        return data

    def locations(self) -> list[LoadedLocation]:
        """Every code location with its first repository or its load error."""
        entries = self.query(_LOCATIONS)["workspaceOrError"].get("locationEntries", [])
        return [_location(entry) for entry in entries]

    def launch(self, job: str, tags: Mapping[str, str]) -> str:
        """Ask for a run of a job of the first loaded location and return its id."""
        location = next((item for item in self.locations() if item.repository is not None), None)
        if location is None:
            raise DagsterRefusedError(f"dagster at {self.url}: no code location is loaded")
        parameters = {
            "selector": {
                "repositoryLocationName": location.name,
                "repositoryName": location.repository,
                "jobName": job,
            },
            "runConfigData": {},
            "mode": "default",
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        answer = self._post(_LAUNCH, {"parameters": parameters}, LAUNCH_TIMEOUT_S)["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise DagsterRefusedError(f"dagster at {self.url}: {job}: {_refusal(answer)}")
        return str(answer["run"]["runId"])

    def runs(self, statuses: Sequence[str] = (), limit: int = RUNS_MAX) -> list[RunView]:
        """The newest runs, in these statuses or in any."""
        wanted = {"statuses": list(statuses)} if statuses else {}
        results = self.query(_RUNS, filter=wanted, limit=limit)["runsOrError"].get("results", [])
        return [_run(item) for item in results]

    def run(self, run_id: str) -> RunView:
        """One run as it stands."""
        answer = self.query(_RUN, id=run_id)["runOrError"]
        if "runId" not in answer:
            raise DagsterRefusedError(f"dagster at {self.url}: run {run_id}: {_refusal(answer)}")
        return _run(answer)

    def give_up_runs_before(self, moment: float) -> list[RunView]:
        """Cancel the runs that have a process and were last heard of before a moment at which no process of
        theirs lived; nobody else ends them, and the next run of their kind would wait for ever.
        """
        dead = [run for run in self.runs(WITH_A_PROCESS) if run.updated_at < moment]
        if dead:
            answer = self.query(_GIVE_UP, ids=[run.run_id for run in dead])["terminateRuns"]
            if answer["__typename"] != "TerminateRunsResult":
                raise DagsterRefusedError(f"dagster at {self.url}: {_refusal(answer)}")
        return dead

    def failure(self, run_id: str) -> str:
        """Why a run failed: the innermost error of its first failed step, else of the run."""
        answer = self.query(_FAILURE, id=run_id)["runOrError"]
        events = (answer.get("eventConnection") or {}).get("events", [])
        errors = [(event.get("stepKey"), event["error"]) for event in events if event.get("error")]
        if not errors:
            return "no error was recorded"
        step, error = errors[0]
        message = _innermost(error).strip().splitlines()
        return f"{step or 'run'}: {message[0] if message else 'no message'}"

    def run_url(self, run_id: str) -> str:
        """Where a person looks at a run."""
        return f"{self.url}/runs/{run_id}"

    def oldest_daemon_heartbeat(self) -> float:
        """When the quietest required daemon last reported, seconds since the epoch; 0 when one never did."""
        statuses = self.query(_DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        beats = [status["lastHeartbeatTime"] or 0.0 for status in statuses if status["required"]]
        return min(beats, default=0.0)


def _run(item: Mapping[str, Any]) -> RunView:
    tags = {tag["key"]: tag["value"] for tag in item["tags"]}
    stats = item.get("stats") or {}
    return RunView(
        run_id=item["runId"],
        job=item["jobName"],
        status=item["status"],
        first=tags.get(RANGE_START) or tags.get(PARTITION),
        last=tags.get(RANGE_END) or tags.get(PARTITION),
        created_at=float(item["creationTime"]),
        updated_at=float(item["updateTime"]),
        steps_done=int(stats.get("stepsSucceeded") or 0),
    )


def _refusal(answer: Mapping[str, Any]) -> str:
    errors = answer.get("errors") or []
    return answer.get("message") or "; ".join(item["message"] for item in errors) or answer["__typename"]


def _innermost(error: Mapping[str, Any]) -> str:
    for _ in range(ERROR_DEPTH_MAX):
        if not error.get("cause"):
            break
        error = error["cause"]
    return str(error["message"])


def _location(entry: dict[str, Any]) -> LoadedLocation:
    loaded = entry["locationOrLoadError"] or {}
    repositories = loaded.get("repositories") or []
    return LoadedLocation(
        name=entry["name"],
        repository=repositories[0]["name"] if repositories else None,
        error=loaded.get("message"),
    )


_LOCATIONS = """
query Locations {
  workspaceOrError {
    ... on Workspace {
      locationEntries {
        name
        loadStatus
        locationOrLoadError {
          ... on RepositoryLocation { repositories { name } }
          ... on PythonError { message }
        }
      }
    }
    ... on PythonError { message }
  }
}
"""

_DAEMONS = """
query Daemons { instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } } }
"""

_RUN_FIELDS = """
  runId jobName status creationTime updateTime tags { key value }
  stats { ... on RunStatsSnapshot { stepsSucceeded } }
"""

_RUNS = (
    """
query Runs($filter: RunsFilter, $limit: Int) {
  runsOrError(filter: $filter, limit: $limit) { ... on Runs { results {"""
    + _RUN_FIELDS
    + "} } } }"
)

_RUN = (
    """
query Run($id: ID!) {
  runOrError(runId: $id) { __typename ... on Run {"""
    + _RUN_FIELDS
    + "} ... on RunNotFoundError { message } ... on PythonError { message } } }"
)

_FAILURE = """
query Failure($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      eventConnection {
        events {
          ... on ExecutionStepFailureEvent {
            stepKey error { message cause { message cause { message cause { message } } } }
          }
          ... on RunFailureEvent { error { message cause { message } } }
        }
      }
    }
  }
}
"""

_GIVE_UP = """
mutation GiveUp($ids: [String!]!) {
  terminateRuns(runIds: $ids, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) {
    __typename
    ... on PythonError { message }
  }
}
"""

_LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PipelineNotFoundError { message }
    ... on InvalidSubsetError { message }
    ... on RunConflict { message }
    ... on UnauthorizedError { message }
    ... on PythonError { message }
  }
}
"""
