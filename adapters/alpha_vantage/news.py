"""The feed of NEWS_SENTIMENT as articles: times in UTC, labels in one spelling, an id of the address.

The vendor spells its labels with a hyphen and with an underscore, in one answer; an article has no id, so its
id is the hash of its address: the same article in two answers is one. Tickers beside shares are `CRYPTO:BTC`
and `FOREX:USD`; a class of shares has a hyphen there (`BRK-B`) and the house's blank here. Keep
out: HTTP, what articles say together (`trading.feeds.sentiment`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from adapters.alpha_vantage.rows import (
    estimate,
    listed,
    object_row,
    refused_row,
    text,
)
from adapters.venue.payload import ROW_ERRORS
from trading.errors import InvalidFieldError
from trading.feeds.sentiment import LABELS, label_of
from trading.model.market import NewsItem, RefusedRow, TickerSentiment
from trading.model.symbols import is_same_symbol, symbol_of_vendor
from trading.model.times import aware_utc
from trading.ports.vendor_source import NewsRead

FEED = "sentiment"
ITEMS_MAX = 1_000  # what the vendor gives at most
TICKERS_MAX = 200
TOPICS_MAX = 50
TITLE_CHARS_MAX = 1_000
URL_CHARS_MAX = 2_000
NAME_CHARS_MAX = 200
ID_HEX = 32
TIME_FORMATS = ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M")
AHEAD_MAX = timedelta(minutes=5)  # of publishers' clocks


def read_news(items: Sequence[object], symbol: str, at: datetime) -> NewsRead:
    """Read the articles of one answer, asked for at `at`; a bad one is refused alone."""
    found: dict[str, NewsItem] = {}
    refused: list[RefusedRow] = []
    for row in items[:ITEMS_MAX]:
        try:
            item = _item(object_row(row), symbol, at)
            told = found.setdefault(item.item_id, item)
            if replace(told, title=item.title, topics=item.topics) != item:
                raise InvalidFieldError("url", "an article once, or with the same scores", item.url)
        except ROW_ERRORS as error:
            refused.append(refused_row(symbol, FEED, at, error, row))
    if len(items) > ITEMS_MAX:
        too_many = InvalidFieldError("feed", f"at most {ITEMS_MAX} articles", len(items))
        refused.append(refused_row(symbol, FEED, at, too_many, {"items": len(items)}))
    ordered = sorted(found.values(), key=lambda item: (item.published_at, item.item_id))
    return NewsRead(items=tuple(ordered), refused=tuple(refused), rows=len(items))


def _item(row: Mapping[str, object], symbol: str, at: datetime) -> NewsItem:
    url = text(row, "url", URL_CHARS_MAX)
    if urlsplit(url).scheme not in ("http", "https"):
        raise InvalidFieldError("url", "an address of the web", url)
    score = _score(row, "overall_sentiment_score")
    return NewsItem(
        item_id=sha256(url.encode()).hexdigest()[:ID_HEX],
        published_at=_published(row, at),
        title=text(row, "title", TITLE_CHARS_MAX),
        url=url,
        publisher=text(row, "source", NAME_CHARS_MAX),
        score=score,
        label=_label(row, "overall_sentiment_label", score),
        topics=tuple(_topic(topic) for topic in listed(row, "topics", TOPICS_MAX)),
        tickers=tuple(_ticker(ticker, symbol) for ticker in listed(row, "ticker_sentiment", TICKERS_MAX)),
    )


def _ticker(told: object, asked: str) -> TickerSentiment:
    """What an article says of a symbol; the one that was asked for under the name by which it was."""
    row = object_row(told)
    symbol = symbol_of_vendor("ticker", row.get("ticker"))
    score = _score(row, "ticker_sentiment_score")
    relevance = estimate(row, "relevance_score")
    if relevance is None or not 0.0 <= relevance <= 1.0:
        raise InvalidFieldError("relevance_score", "a number from 0 to 1", row.get("relevance_score"))
    return TickerSentiment(
        symbol=asked if is_same_symbol(symbol, asked) else symbol,
        score=score,
        relevance=relevance,
        label=_label(row, "ticker_sentiment_label", score),
    )


def _score(row: Mapping[str, object], name: str) -> float:
    score = estimate(row, name)
    if score is None or not -1.0 <= score <= 1.0:
        raise InvalidFieldError(name, "a number from -1 to 1", row.get(name))
    return score


def _label(row: Mapping[str, object], name: str, score: float) -> str:
    """The label in our spelling; one that is missing or unknown follows from the score."""
    told = text(row, name, NAME_CHARS_MAX).lower().replace("-", "_").replace(" ", "_")
    return told if told in LABELS else label_of(score)


def _topic(told: object) -> str:
    return text(object_row(told), "topic", NAME_CHARS_MAX)


def _published(row: Mapping[str, object], at: datetime) -> datetime:
    value = row.get("time_published")
    for form in TIME_FORMATS:
        try:
            moment = datetime.strptime(str(value), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if moment > at + AHEAD_MAX:
            raise InvalidFieldError("time_published", f"a moment until {at}", value)
        return aware_utc("time_published", moment)
    raise InvalidFieldError("time_published", "yyyymmddThhmmss in UTC", value)
