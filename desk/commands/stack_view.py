"""The stack as people and scripts see it: shared by `up`, `status` and `run`."""

from collections.abc import Mapping
from typing import Any

from desk.answers import Advance, print_table, say
from desk.dagster_api import DagsterApi, LoadedLocation
from desk.stack.control import Watcher
from desk.stack.state import ServiceState, StackState
from trading.errors import DeskError


def watcher(advance: Advance) -> Watcher:
    """A progress bar over the services that are ready."""

    def watch(state: StackState) -> None:
        ready = sum(1 for service in state.services if service.state is ServiceState.READY)
        waiting = [service.name for service in state.services if service.state is not ServiceState.READY]
        advance(f"starting {waiting[0]}" if waiting else "started", ready, len(state.services))

    return watch


def describe(state: StackState) -> dict[str, Any]:
    """The state as plain values."""
    return {
        "supervisor_pid": state.supervisor.pid,
        "ready": state.is_ready,
        "services": [
            {
                "name": service.name,
                "state": service.state.value,
                "pid": service.process.pid if service.process else None,
                "port": service.port,
                "url": service.url,
                "restarts": service.restarts,
                "log": service.log,
                "detail": service.detail,
            }
            for service in state.services
        ],
        "external": list(state.external),
        "configuration_hash": state.configuration_hash,
        "ui": ui_url(state),
    }


def ui_url(state: StackState) -> str | None:
    """Where the Dagster UI is."""
    webserver = state.service("webserver")
    return webserver.url if webserver else None


def show(content: Mapping[str, Any]) -> None:
    """A table of the services."""
    rows = [
        (
            item["name"],
            item["state"],
            item["pid"],
            item["url"] or item["port"],
            item["restarts"],
            item["detail"] or None,
        )
        for item in content["services"]
    ]
    rows += [(name, "external", None, None, None, None) for name in content["external"]]
    print_table(
        "", ("service", "state", "pid", "address", "restarts", "detail"), rows, right=("pid", "restarts")
    )
    if content["ui"]:
        say(f"Dagster UI: {content['ui']}")


def load_errors(url: str | None) -> list[LoadedLocation]:
    """The code locations that did not load; empty when the webserver cannot be asked."""
    if url is None:
        return []
    try:
        return [location for location in DagsterApi(url).locations() if location.error is not None]
    except DeskError:
        return []
