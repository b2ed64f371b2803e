"""What a person must see: one line with a code, told once in a while however often it is found.

An alert goes to the live state, where people look, and from there to the warehouse, where it stays: who
raises one waits for the first only. A code is an event or a condition (`trading.model.alerts`); each episode
of a condition has a name of its own, in both, so that raising it again after the live state lost everything
makes no second one. Who finds that a condition holds no more ends it, whoever raised it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trading.model.alerts import AlertKind

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
    kind: AlertKind = AlertKind.EVENT
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEntry:
    """One word on an alert on its way to the warehouse; `identity` is the alert's, told twice or not.

    `at` is when it was meant, which may be long before it could be written.
    """

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
    kind: AlertKind = AlertKind.EVENT


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertBatch:
    """The oldest words that are not stored; `lost` says what can never be, empty where nothing is missing.

    `begins`: nobody has taken anything from this live state yet, it is new or lost everything.
    """

    entries: Sequence[AlertEntry]
    lost: str = ""
    begins: bool = False


class Alerts(ABC):
    """Where alerts go; one that cannot be written waits in the process, is logged, and stops nothing."""

    @abstractmethod
    def raise_alert(self, code: str, text: str) -> bool:
        """Tell it: an event unless its code was told in the last minutes, a condition unless it is open.

        False where it could not be written yet; who raises it again meanwhile raises the same one.
        """

    def end_alert(self, code: str, by: str) -> bool:
        """Note that a condition holds no more, and by what; nothing where it is not open.

        False where that could not be written yet. Raises InvalidFieldError for an event.
        """
        return True

    def take_over(self) -> bool:
        """End what a process of this component before this one left open; feeds are not meant.

        False where that could not be written yet.
        """
        return True

    def fence(self, number: int) -> None:  # noqa: B027 - most components have one process by nature
        """Write conditions under this number of a lease from now on; older ones of the component are refused.

        A process that was followed and wakes must neither end what its successor found nor leave open what
        nobody would end.
        """

    def look(self) -> int:
        """Tell what is due of all conditions, whoever raised them: what came and went too often to be told.

        Return how many were looked after. Raises LiveStateUnavailableError.
        """
        return 0

    def tell_again(self) -> int:
        """Write what is open again, under its names: words of it may have gone before they were stored.

        Return how many. Raises LiveStateUnavailableError.
        """
        return 0

    def restore(self, alerts: Sequence[RaisedAlert]) -> int:
        """Know conditions again that the live state lost; how many. Raises LiveStateUnavailableError."""
        return 0

    def raise_episode(self, code: str, text: str, market_at: datetime) -> bool:
        """Tell what goes on until `end_episode`; the code is its own and names it for ever.

        False where it could not be written: who judges episodes comes again, nothing waits for him.
        """
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
    def open(self) -> Sequence[RaisedAlert]:
        """Return every condition that goes on, oldest first, also where its words are long gone."""

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

    @abstractmethod
    def open(self, most: int) -> Sequence[RaisedAlert]:
        """Return conditions that nobody ended, the newest first of more than `most`."""
