"""Examine tables by quality rules and keep what was found."""

from collections.abc import Sequence

from trading.ports.clock import Clock
from trading.ports.model_runner import SessionRange
from trading.ports.quality import QualityGate, QualityHistory, QualityResult, QualityRule


def examine_quality(
    rules: Sequence[QualityRule],
    sessions: SessionRange | None,
    gate: QualityGate,
    history: QualityHistory,
    clock: Clock,
) -> Sequence[QualityResult]:
    """Apply rules about one table, record the results, and return them in the order of the rules."""
    results = gate.examine(rules, sessions)
    history.record(results, sessions, clock.now())
    return results
