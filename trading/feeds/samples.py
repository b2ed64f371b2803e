"""What feeds say of themselves, as samples of measures; a state is a number, so that it can be drawn."""

from collections.abc import Iterable, Iterator

from trading.ports.feed_health import FeedHealth
from trading.ports.metric_store import Sample

MEASURES = ("age_s", "rows_per_s", "rows", "refused", "errors", "reconnects", "stands_still")


def samples_of(feeds: Iterable[FeedHealth]) -> Iterator[Sample]:
    """Every measure of each feed; what is not known is no sample."""
    for feed in feeds:
        for name in MEASURES:
            value = getattr(feed, name)
            if value is not None:
                yield Sample(
                    name=name,
                    source=feed.source,
                    feed=feed.feed,
                    symbol=feed.symbol,
                    at=feed.said_at,
                    value=float(value),
                )
