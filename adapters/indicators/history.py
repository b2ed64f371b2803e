"""Indicators of past sessions, computed from the one-minute bars that the warehouse holds.

At each minute of the session they are what the live poller computes from the bars that Redis then keeps: the
newest `BARS_KEPT` minutes, of this session and the few before. A value therefore changes when the bars
change; asked again over the same bars it is the same. Only regular hours have values, as in the live day.
Keep out: formulas, and how bars are read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from trading.calendar import CALENDAR_START, session_close, session_open, sessions_between
from trading.model.market import MarketKind, MarketRow
from trading.ports.indicators import Indicators
from trading.ports.market_history import MarketHistory
from trading.ports.market_state import BARS_KEPT
from trading.ports.stored_bars import StoredBars

NAME = "local_history"
WARM_UP_SESSIONS = 3  # whole ones fill the window; what is older is another market
DAYS_OF_WARM_UP = 14  # the sessions before lie within them, whatever holidays there are


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicalsHistory(MarketHistory):
    """The port over stored bars."""

    bars: StoredBars
    indicators: Indicators

    @property
    def name(self) -> str:
        """The source's name in the warehouse: what is computed afterwards is not what was computed live."""
        return NAME

    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """Sessions with bars."""
        return self.bars.sessions() if kind is MarketKind.TECHNICAL else ()

    def rows(self, kind: MarketKind, session: date) -> Iterator[MarketRow] | None:
        """Every indicator at every minute of every symbol that has bars; None where none has."""
        if kind is not MarketKind.TECHNICAL:
            return None
        symbols = self.bars.symbols(session)
        return self._computed(symbols, session) if symbols else None

    def _computed(self, symbols: Sequence[str], session: date) -> Iterator[MarketRow]:
        opens, closes = session_open(session), session_close(session)
        first = max(CALENDAR_START, session - timedelta(days=DAYS_OF_WARM_UP))
        since = sessions_between(first, session)[-WARM_UP_SESSIONS - 1 :][0]
        minutes_max = BARS_KEPT + (closes - opens) // timedelta(minutes=1)
        for symbol in symbols:
            told = self.bars.newest(symbol, since, session, minutes_max)
            own = [bar for bar in told if bar.at < closes]
            for indicator in self.indicators.names:
                yield from self.indicators.each(symbol, indicator, own, opens, BARS_KEPT)
