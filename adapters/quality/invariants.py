"""The warehouse's own invariants (`sql/invariants/`, statements that must return no rows) as quality rules.

An invariant is about the first table that it reads, if that table is an asset, else about the fills. One
whose comment says "Warning only" warns.
"""

import re
from collections.abc import Collection, Mapping, Sequence

import sql
from adapters.quality.rules import FILLS
from trading.errors import ConfigurationError
from trading.ports.model_runner import SessionRange, Severity, TableName
from trading.ports.quality import QualityGate, QualityResult, QualityRule
from trading.ports.table_census import TableCensus

SAMPLE_ROWS_MAX = 5
WARNING = "\n-- Warning only"
READS = re.compile(r"^from (\w+)\.(\w+)", re.MULTILINE)


def invariant_rules(assets: Collection[TableName]) -> tuple[QualityRule, ...]:
    """One rule for each invariant; `assets` are the tables that a check may be about."""
    return tuple(
        QualityRule(
            name=script.name,
            table=_subject(script.text, assets),
            about=_about(script.text),
            severity=Severity.WARN if WARNING in script.text else Severity.ERROR,
        )
        for script in sql.invariants()
    )


class InvariantGate(QualityGate):
    """Runs invariants on the whole warehouse: they hold for every session or for none."""

    def __init__(self, census: TableCensus) -> None:
        self._census = census
        self._texts = {script.name: script.text for script in sql.invariants()}

    def examine(
        self, rules: Sequence[QualityRule], sessions: SessionRange | None = None
    ) -> Sequence[QualityResult]:
        """Run the statement of each rule."""
        return tuple(self._examined(rule) for rule in rules)

    def _examined(self, rule: QualityRule) -> QualityResult:
        if rule.name not in self._texts:
            raise ConfigurationError(f"invariant: expected one of {sorted(self._texts)}, was {rule.name!r}")
        failing = self._census.failing(self._texts[rule.name], SAMPLE_ROWS_MAX)
        return QualityResult(rule=rule, passed=not failing, failing_rows=len(failing), sample=tuple(failing))


class CombinedGate(QualityGate):
    """Several gates as one, each with the names of the rules that it applies."""

    def __init__(self, gates: Mapping[QualityGate, Collection[str]]) -> None:
        self._gates = gates

    def examine(
        self, rules: Sequence[QualityRule], sessions: SessionRange | None = None
    ) -> Sequence[QualityResult]:
        """Give each gate its rules; the results come in the order of the rules."""
        found: dict[str, QualityResult] = {}
        for gate, names in self._gates.items():
            own = [rule for rule in rules if rule.name in names]
            if own:
                found.update({result.rule.name: result for result in gate.examine(own, sessions)})
        missing = [rule.name for rule in rules if rule.name not in found]
        if missing:
            raise ConfigurationError(f"rules: expected rules of some gate, was {missing}")
        return tuple(found[rule.name] for rule in rules)


def _subject(text: str, assets: Collection[TableName]) -> TableName:
    for database, table in READS.findall(text):
        named = TableName(database=database, table=table)
        if named in assets:
            return named
    return FILLS


def _about(text: str) -> str:
    comments = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        comments.append(line.removeprefix("--").strip())
    return " ".join(comments)
