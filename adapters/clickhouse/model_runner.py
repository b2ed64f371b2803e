"""Runs the dbt-like models in ClickHouse: views, tables, and incremental tables by replacing partitions.

What goes wrong if this is careless: a reader sees a half-built mart, or a repeated run doubles rows. So a
model becomes visible in one statement (`create or replace`, `replace partition`), and a repeat replaces what
it wrote. Incremental models have a column `session` and partitions of whole months: the asked sessions are
widened to months.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import uuid4

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.model_project import ModelProject
from adapters.clickhouse.model_tests import TestCase
from trading.ports.model_runner import (
    ColumnOrigin,
    Materialization,
    ModelReport,
    ModelRunner,
    ModelTest,
    SessionRange,
    TableName,
    TestOutcome,
)

SAMPLE_ROWS_MAX = 5
STALE_BUILD_HOURS = 24  # a build table older than this belongs to a run that was killed
BUILD_MARK = "__build_"


class ClickHouseModelRunner(ModelRunner):
    """Models of one project on one warehouse."""

    def __init__(self, project: ModelProject, warehouse: Warehouse) -> None:
        self._project = project
        self._warehouse = warehouse

    def run(self, model: str, sessions: SessionRange | None = None) -> ModelReport:
        """Build one model and report what stands there afterwards."""
        spec = self._project.spec(model)
        replaced: tuple[str, ...] = ()
        if spec.materialization is Materialization.VIEW:
            self._create_view(model, spec.relation)
        elif spec.materialization is Materialization.INCREMENTAL and sessions and self._can_extend(model):
            replaced = self._replace_partitions(model, spec.relation, sessions)
        else:
            self._create_table(model, spec.relation)
        return ModelReport(
            model=model,
            rows=self._count(f"select count() from {spec.relation}"),
            columns=self._columns(spec.relation),
            replaced_partitions=replaced,
            lineage=self._lineage(model),
        )

    def test(self, tests: Sequence[ModelTest]) -> Sequence[TestOutcome]:
        """Run the tests, one query each."""
        return tuple(self._outcome(case) for case in self._project.cases(tests))

    def _create_view(self, model: str, relation: TableName) -> None:
        self._drop_unless_engine(relation, is_view=True)
        self._warehouse.command(f"create or replace view {relation} as\n{self._project.sql(model)}")

    def _create_table(self, model: str, relation: TableName) -> None:
        self._drop_unless_engine(relation, is_view=False)
        sql = self._project.sql(model)
        self._warehouse.command(f"create or replace table {relation}\n{self._storage(model)}\nas\n{sql}")

    def _replace_partitions(self, model: str, relation: TableName, sessions: SessionRange) -> tuple[str, ...]:
        self._drop_stale_builds(relation)
        build = TableName(database=relation.database, table=f"{relation.table}{BUILD_MARK}{uuid4().hex[:12]}")
        sql = self._project.sql(model, incremental=True, sessions=sessions)
        try:
            self._warehouse.command(f"create table {build} as {relation}")
            self._warehouse.command(f"insert into {build}\n{sql}")
            return self._swap(build, relation, sessions)
        finally:
            self._warehouse.command(f"drop table if exists {build}")

    def _swap(self, build: TableName, relation: TableName, sessions: SessionRange) -> tuple[str, ...]:
        built = self._partitions(build, sessions)
        gone = set(self._partitions(relation, sessions)) - set(built)
        for partition in built:
            self._warehouse.command(f"alter table {relation} replace partition id '{partition}' from {build}")
        for partition in sorted(gone):
            self._warehouse.command(f"alter table {relation} drop partition id '{partition}'")
        return (*built, *sorted(gone))

    def _partitions(self, relation: TableName, sessions: SessionRange) -> tuple[str, ...]:
        first, last = _whole_months(sessions)
        rows = self._warehouse.rows(
            f"select distinct _partition_id as partition from {relation} "
            "where session between {first:Date} and {last:Date} order by 1",
            {"first": first, "last": last},
        )
        return tuple(str(row["partition"]) for row in rows)

    def _can_extend(self, model: str) -> bool:
        """Whether the table is there with the columns that the model has today."""
        relation = self._project.spec(model).relation
        if self._engine(relation) in (None, "View"):
            return False
        wanted = self._warehouse.rows(f"describe ({self._project.sql(model)})")
        return _names_and_types(wanted) == self._columns(relation)

    def _storage(self, model: str) -> str:
        config = self._project.config(model)
        lines = [f"engine = {config.get('engine', 'MergeTree')}"]
        if "partition_by" in config:
            lines.append(f"partition by {config['partition_by']}")
        lines.append(f"order by {config.get('order_by', 'tuple()')}")
        return "\n".join(lines)

    def _drop_unless_engine(self, relation: TableName, *, is_view: bool) -> None:
        engine = self._engine(relation)
        if engine is not None and (engine == "View") != is_view:
            self._warehouse.command(f"drop {'view' if engine == 'View' else 'table'} if exists {relation}")

    def _drop_stale_builds(self, relation: TableName) -> None:
        rows = self._warehouse.rows(
            "select name from system.tables "
            "where database = {database:String} and startsWith(name, {prefix:String}) "
            f"and metadata_modification_time < now() - interval {STALE_BUILD_HOURS} hour",
            {"database": relation.database, "prefix": f"{relation.table}{BUILD_MARK}"},
        )
        for row in rows:
            self._warehouse.command(f"drop table if exists {relation.database}.{row['name']}")

    def _engine(self, relation: TableName) -> str | None:
        rows = self._warehouse.rows(
            "select engine from system.tables where database = {database:String} and name = {table:String}",
            {"database": relation.database, "table": relation.table},
        )
        return str(rows[0]["engine"]) if rows else None

    def _columns(self, relation: TableName) -> tuple[tuple[str, str], ...]:
        return _names_and_types(self._warehouse.rows(f"describe {relation}"))

    def _lineage(self, model: str) -> Mapping[str, tuple[ColumnOrigin, ...]]:
        from adapters.clickhouse.model_lineage import column_lineage  # 0.4 s: not for a load

        upstream = {
            relation: [name for name, _ in self._columns(relation)]
            for relation in self._project.spec(model).upstream
        }
        return column_lineage(model, self._project.sql(model), upstream)

    def _outcome(self, case: TestCase) -> TestOutcome:
        failing = self._count(f"select count() from ({case.sql})")
        if not failing:
            return TestOutcome(test=case.test, failing_rows=0)
        rows = self._warehouse.rows(f"select * from ({case.sql}) limit {SAMPLE_ROWS_MAX}")
        return TestOutcome(test=case.test, failing_rows=failing, sample=tuple(map(_shown, rows)))

    def _count(self, sql: str) -> int:
        return int(self._warehouse.value(sql))


def _whole_months(sessions: SessionRange) -> tuple[date, date]:
    last_day = monthrange(sessions.last.year, sessions.last.month)[1]
    return sessions.first.replace(day=1), sessions.last.replace(day=last_day)


def _names_and_types(rows: Sequence[Mapping[str, object]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(row["name"]), str(row["type"])) for row in rows)


def _shown(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items())
