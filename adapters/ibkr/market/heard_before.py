"""Until when the process before this one heard each symbol: what nobody heard since is a gap.

Keep out: reading it from the live state (`runner`), when the gap ends (`symbol_feeds`, `trading/market`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.ibkr.market.symbol_feeds import SymbolFeeds
from trading.calendar import is_rth

NOBODY_LISTENED = "nobody listened"


class HeardBefore:
    """By symbol: the newest quote, whole minutes, the newest print, as far as they were written."""

    def __init__(
        self,
        quotes: Mapping[str, datetime] | None = None,
        minutes: Mapping[str, Sequence[datetime]] | None = None,
        prints: Mapping[str, datetime] | None = None,
    ) -> None:
        self._quotes, self._minutes, self._prints = quotes or {}, minutes or {}, prints or {}

    def begin_gap(self, feeds: SymbolFeeds, opens_at: datetime | None) -> None:
        """Say since when nobody heard a symbol that is met now; one that nobody ever heard has no gap.

        Prints are missing since the last one that was written: their line may have been away for longer.
        """
        feeds.minutes.holes.fill(self._minutes.get(feeds.symbol, ()))
        until = self._quotes.get(feeds.symbol)
        if until is None or opens_at is None:
            return
        since = _unheard_since(until, opens_at)
        printed = _unheard_since(self._prints.get(feeds.symbol, until), opens_at)
        feeds.tape.resume(min(since, printed), NOBODY_LISTENED)
        feeds.begin_gap(since, NOBODY_LISTENED, since)


def _unheard_since(until: datetime, opens_at: datetime) -> datetime:
    """Not before this session, where the one before was heard to its end."""
    return until if is_rth(until) else max(until, opens_at)
