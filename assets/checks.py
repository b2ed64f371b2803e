"""Checks of the core tables: quality rules by great-expectations, and the warehouse's own invariants."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import dagster as dg

from assets.metadata import asset_key
from assets.models import SEVERITY
from assets.sessions import asked_sessions
from trading.ports.clock import Clock
from trading.ports.model_runner import TableName
from trading.ports.quality import QualityGate, QualityHistory, QualityResult, QualityRule
from trading.services.examine_quality import examine_quality


def build_quality_checks(rules: Sequence[QualityRule]) -> list[dg.AssetChecksDefinition]:
    """One definition for each table, with one check for each of its rules."""
    ordered = sorted(rules, key=lambda rule: rule.table)
    return [
        _table_checks(table, tuple(group)) for table, group in groupby(ordered, key=lambda rule: rule.table)
    ]


def _table_checks(table: TableName, rules: tuple[QualityRule, ...]) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=f"{table.database}_{table.table}_quality", specs=[rule_spec(rule) for rule in rules]
    )
    def check(
        context: dg.AssetCheckExecutionContext,
        quality: dg.ResourceParam[QualityGate],
        quality_history: dg.ResourceParam[QualityHistory],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetCheckResult]:
        results = examine_quality(rules, asked_sessions(context), quality, quality_history, clock)
        yield from map(quality_check_result, results)

    return check


def rule_spec(rule: QualityRule) -> dg.AssetCheckSpec:
    """What Dagster shows of one rule."""
    return dg.AssetCheckSpec(
        name=rule.name, asset=asset_key(rule.table), description=rule.about, blocking=rule.blocking
    )


def quality_check_result(result: QualityResult) -> dg.AssetCheckResult:
    """What Dagster is told of one result."""
    return dg.AssetCheckResult(
        asset_key=asset_key(result.rule.table),
        check_name=result.rule.name,
        passed=result.passed,
        severity=SEVERITY[result.rule.severity],
        metadata={"failing_rows": result.failing_rows or 0, "sample": list(result.sample)},
    )
