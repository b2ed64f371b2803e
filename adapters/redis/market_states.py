"""Which state of each symbol was written, so that it is there as long as somebody tells the symbol.

A state is told when it changes, and most symbols stay open for days. Its key would be gone when its life is
over, and after a server lost everything: who reads would not know a halt from an open market. So the sink
tells it again in both cases. Keep out: the writing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from adapters.redis import keys
from trading.model.market import InstrumentState
from trading.ports.market_state import SymbolUpdate, is_newer


class StatesTold:
    """The newest state of each symbol, and when it was written, on the market's clock."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[InstrumentState, datetime]] = {}
        self._is_lost = False

    def note(self, state: InstrumentState, *, is_repeat: bool) -> None:
        """A state was told; an older one, and a repeat whose answer may have been lost, takes no place."""
        known = self._told.get(state.symbol)
        if is_newer(state.at, known[0].at if known else None, is_repeat=is_repeat):
            self._told[state.symbol] = (state, state.at)

    def due(self, updates: Sequence[SymbolUpdate]) -> Sequence[InstrumentState]:
        """Those that must be written again beside these updates."""
        again = [state for state, _ in self._told.values()] if self._is_lost else list(self._old(updates))
        self._is_lost = False
        return again

    def lost(self) -> None:
        """The server has none of them: all are due."""
        self._is_lost = True

    def _old(self, updates: Sequence[SymbolUpdate]) -> Iterable[InstrumentState]:
        """Those whose life is half over."""
        half_life = timedelta(seconds=(keys.MARKET_STATE.ttl_s or 0) / 2)
        for update in updates:
            known = self._told.get(update.symbol)
            if known is None or update.ticker is None:
                continue
            state, told_at = known
            if update.ticker.at - told_at >= half_life:
                self._told[update.symbol] = (state, update.ticker.at)
                yield state
