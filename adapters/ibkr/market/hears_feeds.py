"""Who hears the market and hands it on to the feeds: the live session, and a capture played again.

Both must bring the same messages to the same feeds at the same time, so the way is written once. What only
the session does with a message is told to it beside (`open_interest_told` and its neighbors): a capture holds
what became of that, and does nothing. Not before the market's time is known: a row without one has no place.

The hottest calls of the desk go through here: one test, one call.
"""

from collections.abc import Sequence
from datetime import datetime

from adapters.ibkr.market.feeds import OPEN_INTEREST_OF, Feeds
from adapters.ibkr.market.heard import GreeksHeard, HearsMarket, HistoryBar

MODEL_TICKS = frozenset({13, 83})  # a model's own values, live and delayed


class HearsFeeds(HearsMarket):
    """Hands on what the feeds are to hear; `at` is the market's time of the packet that is being heard."""

    def __init__(self, feeds: Feeds) -> None:
        self.feeds = feeds
        self.at: datetime | None = None

    # what the decoder calls

    def data_kind(self, number: int, kind: int) -> None:
        """Live or delayed."""
        self.feeds.data_kind(number, kind)

    def snapshot_end(self, number: int) -> None:
        """A look is whole."""
        self.feeds.snapshot_end(number, self.at)
        self.look_is_whole(number)

    def price(self, number: int, tick: int, price: float, size: float) -> None:
        """A price with its size."""
        if self.at is not None:
            self.feeds.price(number, tick, price, size, self.at)

    def size(self, number: int, tick: int, size: float) -> None:
        """A size."""
        if self.at is not None:
            self.feeds.size(number, tick, size, self.at)
        if tick in OPEN_INTEREST_OF:
            self.open_interest_told(number)

    def value(self, number: int, tick: int, value: float) -> None:
        """A generic tick."""
        if self.at is not None:
            self.feeds.value(number, tick, value, self.at)

    def text(self, number: int, tick: int, text: str) -> None:
        """A tick that is a text."""
        if self.at is not None:
            self.feeds.text(number, tick, text, self.at)

    def greeks(self, number: int, tick: int, heard: GreeksHeard) -> None:
        """Model values; the model's own are the last of what a look brings."""
        if self.at is not None:
            self.feeds.greeks(number, tick, heard, self.at)
        if tick in MODEL_TICKS:
            self.model_greeks_told(number)

    def print_(self, number: int, epoch_s: int, price: float, size: float, exchange: str, cond: str) -> None:
        """A trade, tick by tick."""
        if self.at is not None:
            self.feeds.print_(number, epoch_s, price, size, exchange, cond, self.at)

    def touch(self, number: int, epoch_s: int, bid: float, ask: float, sizes: Sequence[float]) -> None:
        """Bid and ask, tick by tick."""
        if self.at is not None:
            self.feeds.touch(number, epoch_s, bid, ask, sizes, self.at)

    def level(
        self, number: int, position: int, maker: str, operation: int, side: int, price: float, size: float
    ) -> None:
        """A change of a book."""
        at = self.at
        if at is not None and not self.feeds.level(number, position, maker, operation, side, price, size, at):
            self.book_is_wrong(number)

    def bar(
        self, number: int, epoch_s: int, prices: Sequence[float], volume: float, average: float, count: int
    ) -> None:
        """Five seconds."""
        if self.at is not None:
            self.feeds.bar(number, epoch_s, prices, volume, average, count, self.at)

    def history_bar(self, number: int, heard: HistoryBar) -> None:
        """A minute of the past."""
        self.feeds.refills.bar(number, heard)

    def history_end(self, number: int) -> None:
        """All of them were told."""
        self.feeds.refills.end(number)
        self.history_is_told(number)

    # what follows beside the feeds: the session's

    def open_interest_told(self, number: int) -> None:
        """A contract's open interest came."""

    def model_greeks_told(self, number: int) -> None:
        """The last of what a look at a line brings came."""

    def look_is_whole(self, number: int) -> None:
        """A look ended by itself."""

    def book_is_wrong(self, number: int) -> None:
        """A change of a book cannot be."""

    def history_is_told(self, number: int) -> None:
        """A question about the past is answered."""
