"""Turns of history in a plan that the live polling uses up: given up by name, never waited for for ever."""

from datetime import UTC, datetime

import pytest

from adapters.alpha_vantage.turns import ASKS_MAX, HistoryTurns, VendorBusyError
from adapters.memory.vendor import MemoryRequestLedger
from trading.feeds.limiter import RateLimits

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


def test_a_minute_that_is_always_full_is_asked_a_bounded_number_of_times() -> None:
    """However often it is waited out, others were there before; the question is not asked."""
    ledger, slept = MemoryRequestLedger(), list[float]()
    for _ in range(75):
        ledger.spend("alpha_vantage", NOON)
    turns = HistoryTurns(
        vendor="alpha_vantage",
        ledger=ledger,
        limits=RateLimits(per_minute=75),
        now=lambda: NOON,
        sleep=slept.append,
    )
    with pytest.raises(VendorBusyError, match=f"no turn in {ASKS_MAX} asks"):
        turns.ask(lambda: pytest.fail("it was asked"))
    assert len(slept) == ASKS_MAX
