"""An expectation of great-expectations that no row is found, asked of the warehouse by one question.

The tool's own `UnexpectedRowsExpectation` asks three times: for the rows, for their number, and, where there
are none, for the names of their columns; each time the whole query is run. Here one row answers all: the
number, and the first rows as named tuples. Keep out: rules, and what is made of a result.
"""

from functools import cache
from typing import Any, ClassVar

ROWS_TOLD_MAX = 200
FOUND = "rows_that_must_not_be.found"
QUESTION = (
    "select count() as rows_found, groupArray({most})(tuple(*)) as rows from (\n{query}\n) as found "
    "settings enable_named_columns_in_function_tuple = 1"
)


@cache
def no_rows_expectation() -> Any:
    """The class, made at its first use: the tool takes seconds to import."""
    import great_expectations as gx
    import sqlalchemy as sa
    from great_expectations.expectations.metrics.query_metrics.query_table import (
        unexpected_rows_query_table as own,
    )

    class RowsFound(own.UnexpectedRowsQueryTable):  # type: ignore[misc]
        """The metric: how many rows, and the first of them; registered by being defined."""

        metric_name = FOUND
        value_keys = ("unexpected_rows_query",)

        @classmethod
        def _get_sqlalchemy_records_from_substituted_batch_subquery(
            cls, substituted_batch_subquery: str, execution_engine: Any, fetch_all: bool = False
        ) -> tuple[int, list[dict[str, Any]]]:
            text = QUESTION.format(most=ROWS_TOLD_MAX, query=substituted_batch_subquery)
            ((count, rows),) = execution_engine.execute_query(sa.text(text)).fetchall()
            return int(count), list(rows)

    class ExpectNoRows(gx.expectations.UnexpectedRowsExpectation):  # type: ignore[misc]
        """No row is found by `unexpected_rows_query`."""

        metric_dependencies: ClassVar[tuple[str, ...]] = (FOUND,)

        def _validate(
            self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
        ) -> dict[str, Any]:
            count, rows = metrics[FOUND]
            return {
                "success": count == 0,
                "result": {"observed_value": count, "details": {"unexpected_rows": rows}},
            }

    return ExpectNoRows
