"""Applies rules by great-expectations over the warehouse's SQL interface.

great-expectations takes seconds to import and asks home on import, so it is loaded at the first
examination, with its telemetry off, and its connection serves every examination of the process. A rule that
raises inside the tool is an error here, never a pass. Keep out: how a rule asks (`one_question`).
"""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.quality.one_question import no_rows_expectation
from adapters.quality.rules import EXPECTATIONS, SESSION_COLUMNS, Expectation
from trading.errors import ConfigurationError, WarehouseError
from trading.ports.model_runner import SessionRange, TableName
from trading.ports.quality import QualityGate, QualityResult, QualityRule

SAMPLE_ROWS_MAX = 5
BY_NAME: Mapping[str, Expectation] = {item.rule.name: item for item in EXPECTATIONS}


class GreatExpectationsGate(QualityGate):
    """Rules on one warehouse; HTML pages of the newest results go to `pages` where one is given."""

    def __init__(self, url: str, pages: Path | None = None) -> None:
        self._connection = _sqlalchemy_url(url)
        self._pages = pages

    def examine(
        self, rules: Sequence[QualityRule], sessions: SessionRange | None = None
    ) -> Sequence[QualityResult]:
        """Apply rules that are all about one table."""
        tables = {rule.table for rule in rules}
        if len(tables) != 1:
            raise ConfigurationError(f"rules: expected rules about one table, was {sorted(map(str, tables))}")
        expectations = [_expectation(rule) for rule in rules]
        report = self._validated(tables.pop(), expectations, sessions)
        return tuple(
            _result(rule, found) for rule, found in zip(rules, _in_order(rules, report.results), strict=True)
        )

    def _validated(
        self, table: TableName, expectations: Sequence[Expectation], sessions: SessionRange | None
    ) -> Any:
        gx, source = self._source
        suite = gx.ExpectationSuite(name=str(table))
        for item in expectations:
            suite.add_expectation(
                no_rows_expectation()(unexpected_rows_query=item.query, meta={"rule": item.rule.name})
            )
        asset = source.add_query_asset(name=str(table), query=_rows_of(table, sessions))
        try:
            batch = asset.add_batch_definition_whole_table("all").get_batch()
            report = batch.validate(suite, result_format="COMPLETE")  # any less leaves out the rows
        finally:
            source.delete_asset(asset.name)
        self._keep_page(table, report)
        return report

    @cached_property
    def _source(self) -> tuple[Any, Any]:
        """The tool, and the warehouse as it sees it."""
        gx = _great_expectations()
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}  # in the log of a run
        return gx, context.data_sources.add_sql(name="warehouse", connection_string=self._connection)

    def _keep_page(self, table: TableName, report: Any) -> None:
        if self._pages is None:
            return
        from great_expectations.render.renderer import ValidationResultsPageRenderer
        from great_expectations.render.view import DefaultJinjaPageView

        self._pages.mkdir(parents=True, exist_ok=True)
        page = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(report))
        (self._pages / f"{table}.html").write_text(page, encoding="utf-8")


def _great_expectations() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations

    return great_expectations


def _sqlalchemy_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("CLICKHOUSE_URL: expected http[s]://user:password@host:port[/database]")
    protocol = "?protocol=https" if parts.scheme == "https" else ""
    return f"clickhousedb://{parts.netloc}/default{protocol}"


def _rows_of(table: TableName, sessions: SessionRange | None) -> str:
    if sessions is None:
        return f"select * from {table}"
    column = SESSION_COLUMNS.get(table, "session")
    bounds = f"toDate('{sessions.first}') and toDate('{sessions.last}')"
    return f"select * from {table} where {column} between {bounds}"


def _expectation(rule: QualityRule) -> Expectation:
    if rule.name not in BY_NAME:
        raise ConfigurationError(f"rule: expected one of {sorted(BY_NAME)}, was {rule.name!r}")
    return BY_NAME[rule.name]


def _in_order(rules: Sequence[QualityRule], results: Sequence[Any]) -> Sequence[Any]:
    by_rule = {found.expectation_config.meta["rule"]: found for found in results}
    return [by_rule[rule.name] for rule in rules]


def _result(rule: QualityRule, found: Any) -> QualityResult:
    raised = (found.exception_info or {}).get("exception_message") or _nested_exception(found.exception_info)
    if raised:
        raise WarehouseError(f"rule {rule.name}: expected an answer, was {str(raised)[:500]}")
    details = found.result or {}
    count = details.get("observed_value")
    rows = (details.get("details") or {}).get("unexpected_rows") or ()
    return QualityResult(
        rule=rule,
        passed=bool(found.success),
        failing_rows=int(count) if isinstance(count, int) else None,
        sample=tuple(str(row) for row in list(rows)[:SAMPLE_ROWS_MAX]),
    )


def _nested_exception(info: Mapping[str, Any] | None) -> str:
    for value in (info or {}).values():
        if isinstance(value, Mapping) and value.get("exception_message"):
            return str(value["exception_message"])
    return ""
