"""A day of the one-day index with random faults of its sources: never an old calm, never a false change."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from volatility_desk import SEED, VolatilityDesk, volatility_desk
from volatility_samples import new_york

from adapters.memory.alerts import MemoryAlerts
from adapters.memory.feed_board import MemoryFeedBoard
from simulation.http.cboe import HTML
from simulation.http.index_path import IndexPath
from simulation.http.server import Answer, Fault
from trading.calendar import is_rth, session_close, session_open, trading_session
from trading.model.market import Regime, VolatilityReading, VolatilitySource
from trading.ports.feed_health import FeedState
from trading.services.watch_feeds import FeedWatch, watch_feeds

IBKR, YAHOO, DAILY = VolatilitySource.IBKR, VolatilitySource.YAHOO, VolatilitySource.CBOE_HISTORY
APART = Decimal(3)  # points between the broker's index and the others': a switch must not look like a move
STEP = timedelta(minutes=2)
OLD = timedelta(minutes=15)
FAULTS = (
    Fault(answer=Answer(b"", 503)), Fault(answer=Answer(b"Too Many Requests", 429)), Fault(drop=True),
    Fault(answer=Answer(HTML, 200)), Fault(cut_at_bytes=300), Fault(answer=Answer(b"{}")),
)  # fmt: skip


class Day:
    """The day's faults: each source is away for random spells, and what was drawn is the truth."""

    def __init__(self, desk: VolatilityDesk, seed: int) -> None:
        self.desk, self.chance = desk, random.Random(seed)
        self.is_silent = False
        self.told, self.board, self.watch = MemoryAlerts(), MemoryFeedBoard(), FeedWatch()

    def step(self) -> VolatilityReading | None:
        """Two minutes later: who is away changes now and then, who is due is asked, the feeds are judged."""
        desk = self.desk
        if self.chance.random() < 0.06:
            self.is_silent = not self.is_silent
        if self.chance.random() < 0.06:
            desk.yahoo.faults.extend([self.chance.choice(FAULTS)] * self.chance.randint(1, 40))
        desk.clock.market += STEP
        if not self.is_silent and is_rth(desk.clock.market):
            desk.broker_says(str(_drawn(desk.clock.market) + APART))
        desk.poll()
        now = desk.clock.moment
        watch_feeds(self.watch, self.board, self.told, desk.poller.health(now), now.market)
        return desk.reading

    def check(self, reading: VolatilityReading) -> None:
        """The reading is what its source said, as old as it is, and its changes are its own."""
        now = self.desk.clock.market
        is_old = is_rth(now) and now - reading.at > OLD
        assert (reading.regime is Regime.UNKNOWN) == is_old
        if reading.source is DAILY:
            assert reading.change_5m is None
            return
        assert reading.value == self._said(reading.source, reading.at)
        for window, change in ((5, reading.change_5m), (60, reading.change_1h)):
            began = [reading.at - timedelta(minutes=window, seconds=late) for late in range(0, 301, 15)]
            possible = {reading.value - self._said(reading.source, moment) for moment in began}
            assert change is None or change in possible

    def _said(self, source: VolatilitySource, at: datetime) -> Decimal:
        return _drawn(at) + (APART if source is IBKR else 0)


@cache
def _drawn(at: datetime) -> Decimal:
    return IndexPath(SEED).at(at, trading_session(at))


@pytest.mark.parametrize(("day", "seed"), [("2026-11-20", 1), ("2026-11-27", 2)])
def test_a_day_with_random_faults(tmp_path: Path, day: str, seed: int) -> None:
    """From before the opening to the evening, a full day and a half one; each silence has its alert."""
    session = date.fromisoformat(day)
    seen: list[VolatilityReading] = []
    with volatility_desk(tmp_path, new_york("09:10", session)) as desk:
        played = Day(desk, seed)
        while desk.clock.market < session_close(session) + timedelta(hours=1):
            reading = played.step()
            if reading is not None:
                played.check(reading)
                seen.append(reading)
            told = " ".join(played.told.told)
            for feed in played.board.feeds():
                assert feed.state is not FeedState.STALE or f"feed_stale-{feed.source}-{feed.feed}" in told
    assert {reading.source for reading in seen} >= {IBKR, YAHOO}
    assert any(reading.regime is Regime.UNKNOWN for reading in seen)
    opened = [reading for reading in seen if reading.judged_at >= session_open(session)]
    assert any(reading.change_5m is not None for reading in opened)
    assert seen[-1].regime is not Regime.UNKNOWN
