"""Data quality: rules about tables, what examining them found, and the history of that."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trading.ports.model_runner import SessionRange, Severity, TableName


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRule:
    """One rule about one table. A blocking rule keeps its table's data from what is computed from it.

    `remedy` is what a person can do where it does not hold, as far as that is always the same.
    """

    name: str
    table: TableName
    about: str
    severity: Severity = Severity.ERROR
    blocking: bool = False
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityResult:
    """What one rule found; failing_rows is None where nothing counted; `sample` is for people.

    A rule that cannot judge everything says what it judged (None: all there is), what not, and in `notes`
    why.
    """

    rule: QualityRule
    passed: bool
    failing_rows: int | None
    sample: tuple[str, ...] = ()
    judged: int | None = None
    not_judged: int = 0
    notes: tuple[str, ...] = ()


class QualityGate(ABC):
    """Examines tables by rules."""

    @abstractmethod
    def examine(
        self, rules: Sequence[QualityRule], sessions: SessionRange | None = None
    ) -> Sequence[QualityResult]:
        """Apply the rules, which are all about one table, to its rows of these sessions, or to all rows.

        A rule that cannot be applied raises: it is never a pass.
        """


class QualityHistory(ABC):
    """What was found, for ever."""

    @abstractmethod
    def record(self, results: Sequence[QualityResult], sessions: SessionRange | None, at: datetime) -> None:
        """Append results."""
