"""What the supervisor writes and everyone else reads: which services run, and where. No secrets."""

import dataclasses
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from desk.stack.passwords import write_private
from desk.stack.processes import ProcessIdentity, is_alive


class ServiceState(Enum):
    """Where a service stands."""

    WAITING = "waiting"  # for the services it needs
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"  # died; started again after a delay
    FAILED = "failed"  # died too often; tried again by `desk up`
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One service as the supervisor sees it."""

    name: str
    state: ServiceState
    process: ProcessIdentity | None
    port: int | None
    url: str | None
    restarts: int
    log: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """The whole stack at one moment."""

    supervisor: ProcessIdentity
    services: tuple[ServiceStatus, ...]
    external: tuple[str, ...]  # services that live elsewhere, by their URL
    configuration_hash: str

    @property
    def is_supervised(self) -> bool:
        """Whether the supervisor that wrote this still lives."""
        return is_alive(self.supervisor)

    @property
    def is_ready(self) -> bool:
        """Whether every service is ready."""
        return all(service.state is ServiceState.READY for service in self.services)

    def service(self, name: str) -> ServiceStatus | None:
        """The service of that name."""
        return next((service for service in self.services if service.name == name), None)


def write_state(path: Path, state: StackState) -> None:
    """Replace the state file in one step."""
    write_private(path, json.dumps(dataclasses.asdict(state), default=_plain, indent=1) + "\n")


def read_state(path: Path) -> StackState | None:
    """The last state written; None when there is none or it is not ours to understand (then it is stale)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return StackState(
            supervisor=ProcessIdentity(**content["supervisor"]),
            services=tuple(_service(item) for item in content["services"]),
            external=tuple(content["external"]),
            configuration_hash=content["configuration_hash"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _service(item: dict[str, Any]) -> ServiceStatus:
    process = item["process"]
    return ServiceStatus(
        **{
            **item,
            "state": ServiceState(item["state"]),
            "process": ProcessIdentity(**process) if process else None,
        }
    )


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"state: expected a plain value, was {type(value).__name__}")
