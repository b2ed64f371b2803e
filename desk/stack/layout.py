"""Where the stack keeps its things under the home folder. Names only; nothing is created here but
`make_folders`.
"""

from dataclasses import dataclass
from pathlib import Path

from adapters.configuration.loading import ENDPOINTS_FILE

PRIVATE_FOLDER_MODE = 0o700
PRIVATE_FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class StackLayout:
    """The files of one stack; two home folders are two stacks."""

    home: Path

    @property
    def secrets_file(self) -> Path:
        """Passwords, made once, mode 0600."""
        return self.home / "secrets.env"

    @property
    def endpoints_file(self) -> Path:
        """Addresses with credentials of the running stack, mode 0600."""
        return self.home / ENDPOINTS_FILE

    @property
    def stack(self) -> Path:
        """State, locks and the generated workspace."""
        return self.home / "stack"

    @property
    def state_file(self) -> Path:
        """What runs now, written by the supervisor."""
        return self.stack / "state.json"

    @property
    def ports_file(self) -> Path:
        """The ports of last time, so that a bookmark of the UI keeps working."""
        return self.stack / "ports.json"

    @property
    def command_lock(self) -> Path:
        """Held by `desk up` and `desk down` while they work."""
        return self.stack / "command.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.stack / "supervisor.lock"

    @property
    def workspace_file(self) -> Path:
        """Where the webserver and the daemon find the code server."""
        return self.stack / "workspace.yaml"

    @property
    def logs(self) -> Path:
        """One file per service, and the structured logs."""
        return self.home / "logs"

    @property
    def warehouse(self) -> Path:
        """The data directory of the embedded warehouse."""
        return self.home / "warehouse"

    @property
    def redis(self) -> Path:
        """Redis configuration and append-only file."""
        return self.home / "redis"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.home / "dagster"

    @property
    def backups(self) -> Path:
        """Archives of the warehouse."""
        return self.home / "backups"

    @property
    def inbox(self) -> Path:
        """Where people drop files."""
        return self.home / "inbox"

    def log_file(self, name: str) -> Path:
        """The log of one service."""
        return self.logs / f"{name}.log"

    def make_folders(self) -> None:
        """Create the folders, readable by their owner only."""
        self.home.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER_MODE)
        for folder in (
            self.stack,
            self.logs,
            self.warehouse,
            self.redis,
            self.dagster,
            self.backups,
            self.inbox,
        ):
            folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER_MODE)
