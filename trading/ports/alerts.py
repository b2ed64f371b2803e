"""What a person must see: one line with a code, told once in a while however often it is found."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

READ_MAX = 1_000


class AlertLevel(StrEnum):
    """How soon a person must see it."""

    CRITICAL = "critical"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAlert:
    """An alert as it was written; `alert_id` orders those of one level, `at` is the live state's clock."""

    level: AlertLevel
    alert_id: str
    at: datetime
    code: str
    text: str


class Alerts(ABC):
    """Where alerts go; one that cannot be written is logged and stops nothing."""

    @abstractmethod
    def raise_alert(self, code: str, text: str) -> bool:
        """Tell it, unless the same code was told in the last minutes; False where it could not be written."""


class AlertLog(ABC):
    """What was alerted lately. Raises LiveStateUnavailableError."""

    @abstractmethod
    def newest(self, since: datetime | None, most: int) -> Sequence[RaisedAlert]:
        """Return the newest alerts of all levels, oldest first, at most READ_MAX."""

    @abstractmethod
    def after(self, known: Sequence[RaisedAlert], wait_s: float) -> Sequence[RaisedAlert]:
        """Return what was raised after the last of the known ones of each level; waits for the first."""
