"""The exchange's daily history as a source of past sessions: each session's closing value with its regime.

The whole history is one small file, so it is asked for once in the life of this source, at the first
question. Where it cannot be asked, the copy that the poller kept answers for the sessions that it has; a
session that only the exchange could tell raises then, and is no session without a value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from trading.market_settings import VolatilitySettings
from trading.model.market import MarketKind, MarketRow, VolatilityReading
from trading.ports.market_history import MarketHistory
from trading.ports.vendor_source import VendorUnavailableError
from trading.ports.volatility_source import DailyFile, DailyHistory, DailyHistorySource
from trading.volatility.closes import readings_of


@dataclass(slots=True)
class CboeMarketHistory(MarketHistory):
    """The port; rows that cannot be read are told by the poller that keeps the file, not for each session."""

    source: DailyHistorySource
    limits: VolatilitySettings
    now: Callable[[], datetime]
    kept: Callable[[], DailyFile | None]
    _readings: Mapping[date, VolatilityReading] | None = field(default=None, init=False)
    _failure: VendorUnavailableError | None = field(default=None, init=False)

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
        if reading is None and self._failure is not None:
            raise self._failure
        return None if reading is None else iter((reading,))

    def _told(self) -> Mapping[date, VolatilityReading]:
        if self._readings is None:
            history = self._asked()
            values = history.values if history is not None else ()
            readings = readings_of(values, self.limits, None)
            sessions = (value.session for value in sorted(values, key=lambda value: value.session))
            self._readings = dict(zip(sessions, readings, strict=True))
        return self._readings

    def _asked(self) -> DailyHistory | None:
        try:
            return self.source.ask(None, self.now())
        except VendorUnavailableError as error:
            file = self.kept()
            if file is None:
                raise
            self._failure = error
            return self.source.read(file, self.now())
