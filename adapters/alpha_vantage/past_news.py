"""Articles of a past session, and what they said of a symbol through its hours.

A session's articles are those that were published after the post-market of the session before and until the
end of its own: a weekend's belong to Monday. Sentiment is what the live poller would have told, at its
cadence from the opening to the close, from the articles that were out by then; so what lies before the
session, as far as the window reaches, is asked for with it.

An answer that is full may have been cut: its span is asked for again in halves, so that no article is lost
unsaid. Keep out: HTTP, turns, what an article says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from adapters.alpha_vantage.news import ITEMS_MAX
from trading.calendar import POST_MARKET, previous_session, session_close, session_open, trading_session
from trading.feeds.sentiment import sentiment_of
from trading.model.market import NewsItem, RefusedRow, SentimentReading
from trading.ports.vendor_source import NewsRead, VendorUnavailableError

HALVINGS_MAX = 14  # of four days: less than a minute
MINUTE = timedelta(minutes=1)
AskNews = Callable[[datetime, datetime], NewsRead]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastNews:
    """A session's articles by symbol, oldest first, with those of the window before; what was refused."""

    session: date
    items: dict[str, tuple[NewsItem, ...]]
    refused: tuple[RefusedRow, ...]

    def articles(self) -> Iterator[NewsItem]:
        """The session's own, each once, though it be about several symbols."""
        told = {item.item_id: item for items in self.items.values() for item in items}
        for item in sorted(told.values(), key=lambda item: (item.published_at, item.item_id)):
            if trading_session(item.published_at) == self.session:
                yield item

    def sentiments(self, window_s: int, every_s: float) -> Iterator[SentimentReading]:
        """Each symbol's readings from the opening on, the last one at the close."""
        opens, closes = session_open(self.session), session_close(self.session)
        count = int((closes - opens).total_seconds() // every_s)
        moments = [opens + timedelta(seconds=every_s * place) for place in range(count + 1)]
        if moments[-1] != closes:
            moments.append(closes)
        for symbol, items in self.items.items():
            for at in moments:
                yield sentiment_of(symbol, items, at, window_s)


def span_of(session: date, window_s: int) -> tuple[datetime, datetime]:
    """From when to when articles are asked for."""
    begins = session_close(previous_session(session)) + POST_MARKET
    since = min(begins, session_open(session) - timedelta(seconds=window_s))
    return since, session_close(session) + POST_MARKET


def read_span(ask: AskNews, what: str, since: datetime, until: datetime) -> NewsRead:
    """All articles of a span; raises VendorUnavailableError where a minute has more than an answer holds."""
    items: dict[str, NewsItem] = {}
    refused: list[RefusedRow] = []
    spans: Sequence[tuple[datetime, datetime]] = [(since, until)]
    for _ in range(HALVINGS_MAX):
        cut: list[tuple[datetime, datetime]] = []
        for first, last in spans:
            read = ask(first, last)
            if read.rows >= ITEMS_MAX:
                cut += _halves(what, first, last)
                continue
            items |= {item.item_id: item for item in read.items}
            refused += read.refused
        if not cut:
            ordered = sorted(items.values(), key=lambda item: (item.published_at, item.item_id))
            return NewsRead(items=tuple(ordered), refused=tuple(refused), rows=len(items))
        spans = cut
    raise _too_many(what, *spans[0])


def _halves(what: str, first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
    """Both halves hold the minute in the middle: the vendor asks by the minute, an article counts once."""
    middle = (first + (last - first) / 2).replace(second=0, microsecond=0)
    if middle - first < MINUTE:
        raise _too_many(what, first, last)
    return [(first, middle), (middle, last)]


def _too_many(what: str, first: datetime, last: datetime) -> VendorUnavailableError:
    return VendorUnavailableError(
        f"{what}: expected fewer than {ITEMS_MAX} articles from {first} to {last}, was a full answer"
    )
