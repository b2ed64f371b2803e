"""How every feed of the session is: what the feeds counted, and what the session knows of their lines."""

from collections.abc import Sequence
from datetime import datetime

from adapters.ibkr.market.feeds import SOURCE
from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.session import MarketSession
from trading.market_settings import IngestSettings
from trading.ports.feed_health import FeedHealth, FeedState


def healths(
    session: MarketSession, ingest: IngestSettings, at: datetime, said_at: datetime
) -> Sequence[FeedHealth]:
    """One line for each feed of each symbol."""
    return [
        FeedHealth(
            feed=LineKind.LEVEL1.value,
            symbol=symbol,
            source=SOURCE,
            state=FeedState.RUNNING,
            said_at=said_at,
            limit_s=float(ingest.quote_stale_after_s),
        )
        for symbol in session.budget.symbols
    ]
