"""Counts of tables and views, and queries that must return no rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import sql
from adapters.clickhouse.client import Warehouse
from trading.ports.model_runner import SessionRange, TableName
from trading.ports.table_census import TableCensus, TableCount

SESSION_COLUMNS = (
    "session",
    "to_date",
)  # the first of these that a table has says to which session a row belongs
# Views whose rows are taken out of texts: counting them as they read costs what all of history does.
COUNTED_BY = {
    TableName(database="core", table="broker_positions"): "count_broker_positions",
    TableName(database="core", table="order_events"): "count_order_events",
    TableName(database="core", table="account_values"): "count_account_values",
}


class ClickHouseTableCensus(TableCensus):
    """Counts in the warehouse; `described` says what the columns of some tables mean."""

    def __init__(
        self, warehouse: Warehouse, described: Mapping[TableName, Mapping[str, str]] | None = None
    ) -> None:
        self._warehouse = warehouse
        self._described = described or {}

    def count(self, table: TableName, sessions: SessionRange | None = None) -> TableCount:
        """Count with two queries: the columns, then the rows."""
        described = self._warehouse.rows(f"describe {table}")
        columns = tuple((str(row["name"]), str(row["type"])) for row in described)
        column = next((name for name in SESSION_COLUMNS if name in dict(columns)), None)
        row = self._counted(table, column, sessions)
        return TableCount(
            table=table,
            rows=int(row["rows"]),
            rows_in_sessions=row.get("rows_in_sessions"),
            first_session=row.get("first_session") if row["rows"] else None,
            last_session=row.get("last_session") if row["rows"] else None,
            columns=columns,
            described={**_comments(described), **self._described.get(table, {})},
        )

    def failing(self, query: str, rows_max: int) -> Sequence[str]:
        """Run a query that must return nothing."""
        rows = self._warehouse.rows(f"select * from (\n{query.strip().rstrip(';')}\n) limit {int(rows_max)}")
        return [", ".join(f"{name}={value}" for name, value in row.items()) for row in rows]

    def _counted(
        self, table: TableName, column: str | None, sessions: SessionRange | None
    ) -> Mapping[str, Any]:
        if column is None:
            text = (
                sql.query(COUNTED_BY[table])
                if table in COUNTED_BY
                else f"select count() as rows from {table}"
            )
            return self._warehouse.rows(text)[0]
        bounds = f"min({column}) as first_session, max({column}) as last_session"
        if sessions is None:
            return self._warehouse.rows(f"select count() as rows, {bounds} from {table}")[0]
        inside = f"countIf({column} between {{first:Date}} and {{last:Date}}) as rows_in_sessions"
        return self._warehouse.rows(
            f"select count() as rows, {bounds}, {inside} from {table}",
            {"first": sessions.first, "last": sessions.last},
        )[0]


def _comments(described: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the table itself says of its columns."""
    return {str(row["name"]): str(row["comment"]) for row in described if row["comment"]}
