"""The daily history of the one-day index as a source of past sessions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from adapters.cboe.daily_csv import read_daily_csv
from adapters.cboe.market_history import CboeMarketHistory
from adapters.configuration import load_settings
from trading.model.market import MarketKind, Regime, VolatilityReading, VolatilitySource
from trading.ports.vendor_source import VendorUnavailableError
from trading.ports.volatility_source import DailyFile, DailyHistory, DailyHistorySource

CSV = (
    b"DATE,OPEN,HIGH,LOW,CLOSE\n"
    b"11/12/2026,14.0,15.0,13.0,14.5\n11/13/2026,15.0,41.0,14.0,40.5\n11/16/2026,20.0,27.0,19.0,26.0\n"
)
NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


@dataclass
class ToldFile(DailyHistorySource):
    """A source that gives one file, or nothing that can be read."""

    body: bytes = CSV
    asked: int = 0

    def ask(self, kept: DailyFile | None, at: datetime) -> DailyHistory | None:
        """Count the questions."""
        self.asked += 1
        return self.read(DailyFile(body=self.body), at)

    def read(self, kept: DailyFile, at: datetime) -> DailyHistory:
        """As the adapter does."""
        return read_daily_csv(kept, at)


def _history(source: DailyHistorySource, kept: bytes | None = None) -> CboeMarketHistory:
    file = None if kept is None else DailyFile(body=kept)
    return CboeMarketHistory(source, load_settings().volatility, lambda: NOW, lambda: file)


def test_each_session_has_its_close_and_regime() -> None:
    """One reading a session, and the file is asked for once for all of them."""
    source = ToldFile()
    history = _history(source)
    assert list(history.sessions(MarketKind.VOLATILITY)) == [
        date(2026, 11, 12),
        date(2026, 11, 13),
        date(2026, 11, 16),
    ]
    rows = history.rows(MarketKind.VOLATILITY, date(2026, 11, 13))
    assert rows is not None
    (reading,) = rows
    assert isinstance(reading, VolatilityReading)
    assert (reading.value, reading.regime) == (Decimal("40.5"), Regime.SHOCK)
    assert reading.source is VolatilitySource.CBOE_HISTORY
    assert source.asked == 1


def test_other_sessions_and_kinds_are_none() -> None:
    """A session that the file does not have is not an empty one; other kinds never ask."""
    source = ToldFile()
    history = _history(source)
    assert history.rows(MarketKind.QUOTE, date(2026, 11, 13)) is None
    assert list(history.sessions(MarketKind.BAR)) == []
    assert source.asked == 0
    assert history.rows(MarketKind.VOLATILITY, date(2026, 11, 17)) is None


def test_a_file_that_cannot_be_read_is_an_error() -> None:
    """An error page is no history without sessions."""
    with pytest.raises(VendorUnavailableError):
        _history(ToldFile(b"<html>")).rows(MarketKind.VOLATILITY, date(2026, 11, 13))


def test_a_kept_copy_answers_for_the_sessions_that_it_has() -> None:
    """Without the exchange its sessions are told; one that it does not have is an error, not an empty one."""
    history = _history(ToldFile(b"<html>"), kept=CSV)
    assert history.rows(MarketKind.VOLATILITY, date(2026, 11, 13)) is not None
    with pytest.raises(VendorUnavailableError):
        history.rows(MarketKind.VOLATILITY, date(2026, 11, 17))
