"""Column lineage of a rendered model: which upstream columns each column is made from, read off the SQL."""

from collections.abc import Mapping, Sequence

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from trading.errors import ConfigurationError
from trading.ports.model_runner import ColumnOrigin, TableName

DIALECT = "clickhouse"
Columns = Mapping[TableName, Sequence[str]]


def column_lineage(model: str, sql: str, upstream: Columns) -> Mapping[str, tuple[ColumnOrigin, ...]]:
    """Return for each output column its origins, sorted; a constant has none.

    upstream: the columns of every table that the SQL reads, so that `select *` can be followed.
    """
    schema = _schema(upstream)
    try:
        query = qualify(
            parse_one(sql, dialect=DIALECT), dialect=DIALECT, schema=schema, validate_qualify_columns=False
        )
        scope = build_scope(query)  # once: without it `lineage` qualifies the query again for each column
        nodes = {
            name: lineage(
                name, query, schema=schema, dialect=DIALECT, scope=scope, trim_selects=False, copy=False
            )
            for name in query.named_selects
        }
        return {name: _origins(node) for name, node in nodes.items()}
    except (SqlglotError, ValueError) as cause:
        raise ConfigurationError(
            f"model {model}: expected SQL whose columns can be traced, was: {cause}"
        ) from cause


def _schema(upstream: Columns) -> dict[str, dict[str, dict[str, str]]]:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for relation, columns in upstream.items():
        schema.setdefault(relation.database, {})[relation.table] = dict.fromkeys(columns, "String")
    return schema


def _origins(root: Node) -> tuple[ColumnOrigin, ...]:
    leaves = (node for node in root.walk() if not node.downstream and isinstance(node.expression, exp.Table))
    origins = {_origin(node) for node in leaves}
    return tuple(sorted(origins))


def _origin(leaf: Node) -> ColumnOrigin:
    table = leaf.expression
    column = leaf.name.rsplit(".", 1)[-1].strip('"`')
    return ColumnOrigin(table=TableName(database=table.db, table=table.name), column=column)
