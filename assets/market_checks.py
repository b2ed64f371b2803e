"""Checks of market data: one definition for each table, over the sessions of the run, dirty rows by name."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import dagster as dg

from assets.checks import rule_spec
from assets.market import newest_session
from assets.metadata import asset_key
from assets.models import SEVERITY
from assets.sessions import asked_sessions
from trading.ports.model_runner import SessionRange, TableName
from trading.ports.quality import QualityResult, QualityRule
from trading.services.check_market import MARKET_RULES, MarketCheckTools, check_market

# a table is shown as it is, text is folded
NAMED = dg.TableSchema(columns=[dg.TableColumn("what", "string")])


def build_market_checks() -> list[dg.AssetChecksDefinition]:
    """One definition for each table of market data."""
    ordered = sorted(MARKET_RULES, key=lambda rule: rule.table)
    return [
        _table_checks(table, tuple(group)) for table, group in groupby(ordered, key=lambda rule: rule.table)
    ]


def _table_checks(table: TableName, rules: tuple[QualityRule, ...]) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=f"{table.database}_{table.table}_market", specs=[rule_spec(rule) for rule in rules]
    )
    def check(
        context: dg.AssetCheckExecutionContext, market_checks: dg.ResourceParam[MarketCheckTools]
    ) -> Iterator[dg.AssetCheckResult]:
        sessions = asked_sessions(context) or newest_session()
        for result in check_market(rules, sessions, market_checks):
            yield _told(result, sessions)

    return check


def _told(result: QualityResult, sessions: SessionRange) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset_key(result.rule.table),
        check_name=result.rule.name,
        passed=result.passed,
        severity=SEVERITY[result.rule.severity],
        description=_words(result),
        metadata={
            "failing_rows": result.failing_rows or 0,
            "sessions": f"{sessions.first} to {sessions.last}",
            "the first of them": dg.MetadataValue.table(
                [dg.TableRecord({"what": what}) for what in result.sample], schema=NAMED
            ),
            **_judged(result),
        },
    )


def _words(result: QualityResult) -> str | None:
    """Why it warns, where that is not said by its rows alone."""
    if result.passed or result.judged is None:
        return None
    first = (*result.sample, *result.notes)[:1]
    return " ".join((*first, result.rule.remedy))


def _judged(result: QualityResult) -> dict[str, Any]:
    """Of a check that cannot judge everything: how much, why not more, and what makes it more."""
    if result.judged is None:
        return {}
    notes = [dg.TableRecord({"what": what}) for what in result.notes]
    found: dict[str, Any] = {
        "judged": result.judged,
        "not_judged": result.not_judged,
        "what was judged": dg.MetadataValue.table(notes, schema=NAMED),
    }
    return found if result.passed else found | {"what to do": result.rule.remedy}


MARKET_CHECKS = tuple(build_market_checks())
