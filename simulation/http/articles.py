"""Articles drawn from a seed: when, about whom, with which sentiment, in the shape of Alpha Vantage's feed.

An article depends on (seed, session, symbol, number) alone, so the same question at the same moment has the
same answer. Labels come in both spellings that the vendor uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from simulation.market.hours import local
from simulation.market.mixing import between, mixed, unit

FIRST_AT = time(4, 0)  # New York
SPREAD_S = 13 * 3_600
ARTICLES_MOST = 12  # of a symbol and session
SALT_COUNT, SALT_TIME, SALT_SCORE, SALT_OTHER, SALT_WORDS = 101, 102, 103, 104, 105
VERBS = ("beats expectations", "faces questions", "holds steady", "cuts its outlook", "raises guidance")
PLACES = ("Example Wire", "Sample Journal", "Desk Gazette")
TOPICS = ("Technology", "Earnings", "Financial Markets", "Economy - Monetary")


@dataclass(frozen=True, slots=True)
class Article:
    """One article; scores by symbol as (score, relevance)."""

    published_at: datetime
    title: str
    url: str
    publisher: str
    topic: str
    tickers: tuple[tuple[str, float, float], ...]

    @property
    def score(self) -> float:
        """The score of all."""
        return round(sum(score for _, score, _ in self.tickers) / len(self.tickers), 6)


def articles_of(
    seed: int, symbol: str, others: Sequence[str], days: Sequence[date], since: datetime, at: datetime
) -> list[Article]:
    """Articles about the symbol after `since` up to `at`, newest first."""
    found = [
        article
        for day in days
        for number in range(between(2, ARTICLES_MOST, seed, day.toordinal(), _number(symbol), SALT_COUNT))
        if since < (article := _article(seed, symbol, others, day, number)).published_at <= at
    ]
    return sorted(found, key=lambda article: (article.published_at, article.url), reverse=True)


def _article(seed: int, symbol: str, others: Sequence[str], day: date, number: int) -> Article:
    keys = (seed, day.toordinal(), _number(symbol), number)
    moment = local(day, FIRST_AT) + timedelta(seconds=between(0, SPREAD_S, *keys, SALT_TIME))
    bits = mixed(*keys, SALT_WORDS)
    tickers = [(symbol, round(unit(*keys, SALT_SCORE) * 1.6 - 0.8, 6), 0.2 + round(unit(*keys) * 0.8, 6))]
    other = others[bits % len(others)] if others else symbol
    if other != symbol:
        tickers.append((other, round(unit(*keys, SALT_OTHER) - 0.5, 6), 0.1))
    words = VERBS[bits % len(VERBS)]
    return Article(
        published_at=moment,
        title=f"{symbol} {words}",
        url=f"https://news.example/{day:%Y/%m/%d}/{symbol.lower()}-{number}-{words.replace(' ', '-')}",
        publisher=PLACES[bits % len(PLACES)],
        topic=TOPICS[bits % len(TOPICS)],
        tickers=tuple(tickers),
    )


def _number(symbol: str) -> int:
    return int.from_bytes(symbol.encode()[:7], "big")
