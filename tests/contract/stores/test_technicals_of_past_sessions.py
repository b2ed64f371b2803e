"""Indicators of a past session: what the live poller would have computed of the bars that are stored."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from market_desk import ToldClock
from market_samples import HEARD, entry

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from adapters.clickhouse.stored_bars import ClickHouseStoredBars
from adapters.indicators.history import TechnicalsHistory
from adapters.indicators.talib_indicators import TalibIndicators
from trading.calendar import session_open
from trading.errors import WarehouseUnavailableError
from trading.model.market import Bar, MarketKind, TechnicalReading
from trading.ports.model_runner import SessionRange
from trading.services.load_market import MarketTools, load_market

DAY, DAY_BEFORE, DAY_AFTER = date(2026, 11, 17), date(2026, 11, 16), date(2026, 11, 18)
INDICATORS = {"RSI", "MACD", "BBANDS", "ATR"}


def _minutes(session: date, count: int = 390, symbol: str = "SPY", name: str = "STK:SPY") -> list[Bar]:
    """Bars that go up and down, from the opening on."""
    opens = session_open(session)
    levels = [Decimal(600 + (place * 37 % 101) - (place * place % 89)) for place in range(count)]
    return [
        Bar(
            symbol=symbol,
            instrument_id=name,
            at=opens + timedelta(minutes=place),
            seconds=60,
            open=level,
            high=level + Decimal("0.5"),
            low=level - Decimal("0.25"),
            close=level,
        )
        for place, level in enumerate(levels)
    ]


class _Desk:
    """A warehouse with bars, and the service that loads."""

    def __init__(self, client: Warehouse) -> None:
        self.client = client
        self.store = ClickHouseMarketStore(client, now=lambda: HEARD)
        self.bars = ClickHouseStoredBars(client)
        self.history = TechnicalsHistory(bars=self.bars, indicators=TalibIndicators())

    def load(self, session: date = DAY) -> tuple[int, int]:
        """Build the session's indicators: rows told, and rows that are new."""
        tools = MarketTools(histories=[self.history], store=self.store, clock=ToldClock())
        (told,) = load_market([MarketKind.TECHNICAL], SessionRange(first=session, last=session), tools)
        return told.total, told.new

    def count(self) -> int:
        """Rows that readers see."""
        return int(self.client.value("select count() from core.technicals") or 0)


@pytest.fixture
def desk(warehouse: Warehouse) -> _Desk:
    """Two sessions of SPY, of which the first was told by a file."""
    made = _Desk(warehouse)
    made.store.load(MarketKind.BAR, DAY_BEFORE, "lean", _minutes(DAY_BEFORE))
    made.store.load(MarketKind.BAR, DAY, "lean", _minutes(DAY))
    return made


def _live(bars: list[Bar], at: datetime) -> dict[str, TechnicalReading | None]:
    """What the poller computes at a moment from the newest bars of the symbol."""
    told = [bar for bar in bars if bar.at <= at][-1_000:]
    return {name: TalibIndicators().newest("SPY", name, told) for name in INDICATORS}


def test_each_minute_has_what_the_live_poller_computes_of_the_same_bars(desk: _Desk) -> None:
    """The session before is the warm-up, so the first minute has values, too; none is of another session."""
    found = list(desk.history.rows(MarketKind.TECHNICAL, DAY) or ())
    both = [*_minutes(DAY_BEFORE), *_minutes(DAY)]
    for at in (session_open(DAY), session_open(DAY) + timedelta(minutes=389)):
        told = {row.indicator: row for row in found if isinstance(row, TechnicalReading) and row.at == at}
        assert told == _live(both, at)
    assert len(found) == 390 * len(INDICATORS)


def test_a_repeat_adds_nothing_and_new_bars_change_it(desk: _Desk) -> None:
    """The same bars give the same rows; the rows of a bar that was told since take their place."""
    assert desk.load() == (1_560, 1_560)
    assert desk.load() == (1_560, 0)
    assert desk.count() == 1_560
    later = [replace(bar, close=bar.high) if bar.at.minute == 59 else bar for bar in _minutes(DAY)]
    desk.store.load(MarketKind.BAR, DAY, "lean", later)
    total, new = desk.load()
    assert total == desk.count() == 1_560
    assert 0 < new < 1_560


def test_what_a_file_says_stands_before_what_was_heard(desk: _Desk) -> None:
    """Of one minute the loaded bar counts, whatever its id; what only was heard fills the gap."""
    heard = [
        replace(_minutes(DAY)[7], close=Decimal(1), low=Decimal(1), instrument_id="STK:756733"),
        *(replace(bar, instrument_id="STK:756733") for bar in _minutes(DAY_AFTER, 2)),
    ]
    desk.store.record([entry(MarketKind.BAR, *heard)], (), is_repeat=False)
    told = desk.bars.newest("SPY", DAY, DAY_AFTER, 392)
    assert [bar.at for bar in told] == [bar.at for bar in (*_minutes(DAY), *_minutes(DAY_AFTER, 2))]
    assert told[7].close == _minutes(DAY)[7].close


def test_options_hours_and_other_sessions_are_not_among_them(desk: _Desk) -> None:
    """Nor is a session too long ago: what it says is of another market."""
    option = _minutes(DAY, 2, name="OPT:SPY   261120C00600000")
    hour = [replace(bar, seconds=3600) for bar in _minutes(DAY_AFTER, 1)]
    desk.store.load(MarketKind.BAR, DAY_AFTER, "lean", [*option, *hour])
    assert desk.bars.symbols(DAY_AFTER) == []
    assert desk.bars.sessions() == [DAY_BEFORE, DAY]
    assert desk.history.rows(MarketKind.TECHNICAL, DAY_AFTER) is None
    assert len(desk.bars.newest("SPY", DAY_BEFORE, DAY, 1_000)) == 780
    assert len(desk.bars.newest("SPY", DAY, DAY, 1_000)) == 390
    assert desk.bars.newest("SPY", DAY_BEFORE, DAY, 3) == _minutes(DAY)[-3:]


def test_a_warehouse_that_is_away_is_no_empty_session(warehouse: Warehouse) -> None:
    """A failed query fails the load; it is not "no source has it"."""
    away = TechnicalsHistory(
        bars=ClickHouseStoredBars(Warehouse("http://writer:x@127.0.0.1:9")), indicators=TalibIndicators()
    )
    tools = MarketTools(histories=[away], store=ClickHouseMarketStore(warehouse), clock=ToldClock())
    with pytest.raises(WarehouseUnavailableError):
        load_market([MarketKind.TECHNICAL], SessionRange(first=DAY, last=DAY), tools)
