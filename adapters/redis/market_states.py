"""Which state of each symbol was written, so that it is there as long as somebody tells the symbol.

A state is told when it changes, and most symbols stay open for days. Its key would be gone when its life is
over, and after a server lost everything: who reads would not know a halt from an open market. So the sink
tells it again in both cases. Keep out: the writing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from adapters.redis import keys
from adapters.redis.market_values import row_text
from trading.model.market import InstrumentState
from trading.ports.market_state import SymbolUpdate


class StatesTold:
    """The newest state of each symbol, and when it was written, on the market's clock."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[InstrumentState, datetime]] = {}
        self._is_lost = False

    def note(self, state: InstrumentState, *, is_repeat: bool) -> None:
        """A state was written; a repeat, whose answer may have been lost, puts no older one first."""
        known = self._told.get(state.symbol)
        if not is_repeat or known is None or known[0].at < state.at:
            self._told[state.symbol] = (state, state.at)

    def due(self, updates: Sequence[SymbolUpdate]) -> Mapping[str, bytes]:
        """The values by symbol that must be written again beside these updates."""
        again = self._all() if self._is_lost else dict(self._old(updates))
        self._is_lost = False
        return {symbol: row_text(state) for symbol, state in again.items()}

    def lost(self) -> None:
        """The server has none of them: all are due."""
        self._is_lost = True

    def _all(self) -> Mapping[str, InstrumentState]:
        return {symbol: state for symbol, (state, _) in self._told.items()}

    def _old(self, updates: Sequence[SymbolUpdate]) -> Iterable[tuple[str, InstrumentState]]:
        """Those whose life is half over."""
        half_life = timedelta(seconds=(keys.MARKET_STATE.ttl_s or 0) / 2)
        for update in updates:
            known = self._told.get(update.symbol)
            if known is None or update.ticker is None:
                continue
            state, told_at = known
            if not timedelta(0) <= update.ticker.at - told_at < half_life:
                self._told[update.symbol] = (state, update.ticker.at)
                yield update.symbol, state
