"""How much lies in a table, for the people who look at a run."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from trading.ports.model_runner import SessionRange, TableName


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCount:
    """Rows in all and in the asked sessions; columns with their types; None where a table has no sessions.

    `described` says what columns mean, where somebody does.
    """

    table: TableName
    rows: int
    rows_in_sessions: int | None
    first_session: date | None
    last_session: date | None
    columns: tuple[tuple[str, str], ...]
    described: Mapping[str, str] = field(default_factory=dict)


class TableCensus(ABC):
    """Counts rows."""

    @abstractmethod
    def count(self, table: TableName, sessions: SessionRange | None = None) -> TableCount:
        """Count one table or view as it reads now."""

    @abstractmethod
    def failing(self, query: str, rows_max: int) -> Sequence[str]:
        """Return up to rows_max rows, as text, of a query that must return none."""
