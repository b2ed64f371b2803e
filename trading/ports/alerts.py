"""What a person must see: one line with a code, told once in a while however often it is found.

An alert goes to the live state, where people look, and from there to the warehouse, where it stays: who
raises one waits for the first only. One that has an end (an episode) is named by its code in both, so that
raising it again after the live state lost everything makes no second one.
"""

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


class AlertWord(StrEnum):
    """What is said of an alert."""

    RAISED = "raised"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAlert:
    """An alert as it was written; `alert_id` orders those of one level, `at` is the live state's clock.

    `market_at` is the market's time where the component knows it; `resolved_at` is None while it is open.
    """

    level: AlertLevel
    alert_id: str
    at: datetime
    code: str
    text: str
    component: str = ""
    market_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEntry:
    """One word on an alert on its way to the warehouse; `identity` is the alert's, told twice or not."""

    stream: str
    entry_id: str
    word: AlertWord
    identity: str
    level: AlertLevel | None  # of what is raised
    code: str
    text: str  # of what is resolved: by what
    component: str
    at: datetime
    market_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertBatch:
    """The oldest words that are not stored; `lost` says what can never be, empty where nothing is missing."""

    entries: Sequence[AlertEntry]
    lost: str = ""


class Alerts(ABC):
    """Where alerts go; one that cannot be written is logged and stops nothing."""

    @abstractmethod
    def raise_alert(self, code: str, text: str) -> bool:
        """Tell it, unless the same code was told in the last minutes; False where it could not be written."""

    def raise_episode(self, code: str, text: str, market_at: datetime) -> bool:
        """Tell what goes on until `end_episode`; the code is its own and names it for ever."""
        return self.raise_alert(code, text)

    def end_episode(self, code: str, by: str, market_at: datetime) -> bool:
        """Note that it is over, and by what; False where that could not be written."""
        return True

    def episodes_left(self) -> Sequence[str] | None:
        """Return codes of this component's episodes that nobody ended; None where nobody can know now."""
        return ()

    def has_lost_all(self) -> bool:
        """Say whether the live state lost everything since the last look: what goes on is told again."""
        return False


class AlertLog(ABC):
    """What was alerted lately. Raises LiveStateUnavailableError."""

    @abstractmethod
    def newest(self, since: datetime | None, most: int) -> Sequence[RaisedAlert]:
        """Return the newest alerts of all levels, oldest first, at most READ_MAX."""

    @abstractmethod
    def after(self, known: Sequence[RaisedAlert], wait_s: float) -> Sequence[RaisedAlert]:
        """Return what was raised after the last of the known ones of each level; waits for the first."""


class AlertQueue(ABC):
    """What waits for the warehouse, bounded: the oldest goes, and that it went is said. One drain's view.

    Raises LiveStateUnavailableError.
    """

    @abstractmethod
    def read(self, most: int) -> AlertBatch:
        """Return at most so many words of each stream, the same ones again until they are done."""

    @abstractmethod
    def done(self, batch: AlertBatch) -> None:
        """Note that these are stored; they stay for people to look at."""


class AlertRecord(ABC):
    """Every alert, for ever. Raises WarehouseUnavailableError or WarehouseError."""

    @abstractmethod
    def record(self, entries: Sequence[AlertEntry]) -> None:
        """Keep words; one that is there already is not kept twice."""

    @abstractmethod
    def newest(self, since: datetime | None, most: int) -> Sequence[RaisedAlert]:
        """Return the newest alerts with what became of them, oldest first, at most READ_MAX."""
