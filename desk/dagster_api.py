"""Dagster as the command line sees it: a GraphQL server over HTTP. Never imports dagster.

Belongs here: queries and their answers as values. Keep out: what a job means.
"""

from dataclasses import dataclass
from typing import Any

import httpx

from trading.errors import PermanentError, TransientError

QUERY_TIMEOUT_S = 30.0
PROBE_TIMEOUT_S = 2.0
FINISHED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})


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
    partition: str | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in FINISHED


class DagsterApi:
    """The GraphQL endpoint of one webserver."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def is_answering(self) -> bool:
        """Whether the webserver serves."""
        try:
            answer = httpx.get(f"{self.url}/server_info", timeout=PROBE_TIMEOUT_S, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK and "dagster_webserver_version" in answer.text

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """Run one GraphQL document; DagsterUnavailableError when unreachable, DagsterRefusedError on its
        errors.
        """
        try:
            answer = httpx.post(
                f"{self.url}/graphql",
                json={"query": text, "variables": variables},
                timeout=QUERY_TIMEOUT_S,
                trust_env=False,
            )
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

    def oldest_daemon_heartbeat(self) -> float:
        """When the quietest required daemon last reported, seconds since the epoch; 0 when one never did."""
        statuses = self.query(_DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        beats = [status["lastHeartbeatTime"] or 0.0 for status in statuses if status["required"]]
        return min(beats, default=0.0)


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
