"""SQL models as the domain sees them: what a model is, what a run of it did, what its tests found.

The port behind `dbt_like_models/`: values and one abstract base. How a model is rendered is the adapter's.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Materialization(StrEnum):
    """How a model is kept in the warehouse."""

    VIEW = "view"
    TABLE = "table"
    INCREMENTAL = "incremental"


class Severity(StrEnum):
    """What a failing test means: an error is wrong data, a warning is a thing to look at."""

    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TableName:
    """A table or view: ClickHouse database and table."""

    database: str
    table: str

    def __str__(self) -> str:
        return f"{self.database}.{self.table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """A documented column; `data_type` is ClickHouse's, None where the file does not say."""

    name: str
    description: str
    data_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTest:
    """One test of one model; `name` is unique in the project, `about` says in words what must hold.

    `also_reads` are other models that it looks at: it can only run when these are built too.
    """

    name: str
    model: str
    about: str
    severity: Severity = Severity.ERROR
    also_reads: tuple[TableName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model: where it is written, from what, and what its columns and tests are."""

    name: str
    relation: TableName
    layer: str
    description: str
    materialization: Materialization
    columns: tuple[ColumnSpec, ...]
    upstream: tuple[TableName, ...]
    tests: tuple[ModelTest, ...]
    owners: tuple[str, ...]
    tags: tuple[str, ...]
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ColumnOrigin:
    """A column of an upstream table that a model's column is made from."""

    table: TableName
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRange:
    """Sessions from first to last, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """What a run left behind: rows in the relation, its columns with types, where each comes from."""

    model: str
    rows: int
    columns: tuple[tuple[str, str], ...]
    replaced_partitions: tuple[str, ...]
    lineage: Mapping[str, tuple[ColumnOrigin, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """What one test found; `sample` holds at most a few failing rows, as text for people."""

    __test__ = False  # the name is the domain's, not a test class

    test: ModelTest
    failing_rows: int
    sample: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True where no row fails."""
        return self.failing_rows == 0


class ModelRunner(ABC):
    """Runs models and their tests; only this writes `marts.*`."""

    @abstractmethod
    def run(self, model: str, sessions: SessionRange | None = None) -> ModelReport:
        """Build one model; of an incremental one only partitions of these sessions. Safe to repeat."""

    @abstractmethod
    def test(self, tests: Sequence[ModelTest]) -> Sequence[TestOutcome]:
        """Run these tests against what is in the warehouse now, in their order."""
