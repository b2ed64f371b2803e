"""Rows of the index that wait to be published: each told once, bounded, the oldest lost and counted."""

from dataclasses import replace
from datetime import timedelta

import pytest
from volatility_samples import IBKR, new_york

from trading.model.market import MarketKind, RefusedRow, Regime, VolatilityReading
from trading.volatility import waiting
from trading.volatility.observation import INDEX
from trading.volatility.waiting import WaitingRows

NOON = new_york("12:00")


def reading(seconds: int) -> VolatilityReading:
    """A value of the index so long after noon."""
    at = NOON + timedelta(seconds=seconds)
    return VolatilityReading(
        index=INDEX, at=at, value=17, source=IBKR, regime=Regime.NORMAL, judged_at=at
    )  # fmt: skip


def refused(number: int) -> RefusedRow:
    """A row of a file that is none."""
    return RefusedRow(
        symbol=INDEX, feed="volatility", at=NOON, field="close", reason="no value", payload=str(number)
    )


def test_a_reading_that_says_nothing_new_does_not_wait():
    """Judged again and found the same is no row; another regime of the same value is one."""
    rows = WaitingRows()
    rows.add_reading(reading(0))
    rows.add_reading(replace(reading(0), judged_at=NOON + timedelta(seconds=9)))
    rows.add_reading(replace(reading(0), regime=Regime.UNKNOWN))
    (block,) = rows.blocks(NOON)
    assert [row.regime for row in block.rows] == [Regime.NORMAL, Regime.UNKNOWN]
    rows.published()
    assert rows.blocks(NOON) == ()


def test_beyond_the_bound_the_oldest_go_and_are_counted(monkeypatch: pytest.MonkeyPatch):
    """Days without a live state do not take the memory, and the newest are kept."""
    monkeypatch.setattr(waiting, "ROWS_MAX", 3)
    rows = WaitingRows()
    for seconds in range(5):
        rows.add_reading(reading(seconds))
    (block,) = rows.blocks(NOON)
    assert [row.at for row in block.rows] == [reading(seconds).at for seconds in (2, 3, 4)]
    assert rows.lost == 2


def test_a_wrong_row_is_told_once_as_far_as_it_is_remembered(monkeypatch: pytest.MonkeyPatch):
    """A file is read again and again; one that is wrong throughout fills no memory."""
    monkeypatch.setattr(waiting, "REFUSED_KNOWN_MAX", 2)
    rows = WaitingRows()
    assert rows.add_refused("cboe", [refused(0), refused(0), refused(1), refused(2)]) == 3
    assert rows.add_refused("cboe", [refused(0), refused(1), refused(2)]) == 1, "the third is not remembered"
    (block,) = rows.blocks(NOON)
    assert (block.kind, len(block.rows)) == (MarketKind.REFUSED, 4)
