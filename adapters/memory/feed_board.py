"""The board of feeds in one process."""

from collections.abc import Sequence

from trading.ports.feed_health import FeedBoard, FeedHealth


class MemoryFeedBoard(FeedBoard):
    """The board in one process; nothing leaves it by itself."""

    def __init__(self) -> None:
        self._feeds: dict[tuple[str, str, str], FeedHealth] = {}

    def say(self, feeds: Sequence[FeedHealth]) -> None:
        """Set how these feeds are."""
        self._feeds.update({(feed.source, feed.feed, feed.symbol): feed for feed in feeds})

    def feeds(self) -> Sequence[FeedHealth]:
        """Return every feed."""
        return [self._feeds[name] for name in sorted(self._feeds)]
