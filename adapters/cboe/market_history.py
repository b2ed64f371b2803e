"""The exchange's daily history as a source of past sessions: each session's closing value with its regime.

The whole history is one small file, so it is asked for once in the life of this source, at the first
question; a failure raises and is no empty history.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from trading.market_settings import VolatilitySettings
from trading.model.market import MarketKind, MarketRow, VolatilityReading
from trading.ports.market_history import MarketHistory
from trading.ports.volatility_source import DailyHistorySource
from trading.volatility.closes import readings_of


@dataclass(slots=True)
class CboeMarketHistory(MarketHistory):
    """The port; rows that cannot be read are told by the poller that keeps the file, not for each session."""

    source: DailyHistorySource
    limits: VolatilitySettings
    now: Callable[[], datetime]
    _readings: Mapping[date, VolatilityReading] | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """Under which rows are stored."""
        return "cboe_history"

    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """Sessions with a close."""
        return sorted(self._told()) if kind is MarketKind.VOLATILITY else ()

    def rows(self, kind: MarketKind, session: date) -> Iterator[MarketRow] | None:
        """The reading of the session's close."""
        if kind is not MarketKind.VOLATILITY:
            return None
        reading = self._told().get(session)
        return None if reading is None else iter((reading,))

    def _told(self) -> Mapping[date, VolatilityReading]:
        if self._readings is None:
            history = self.source.ask(None, self.now())
            values = history.values if history is not None else ()
            readings = readings_of(values, self.limits, None)
            sessions = (value.session for value in sorted(values, key=lambda value: value.session))
            self._readings = dict(zip(sessions, readings, strict=True))
        return self._readings
