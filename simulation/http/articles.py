"""Articles of a world, in what Alpha Vantage tells of one: drawn ones of every day, and those about events.

What moves the market can be read: each event has a wire's report within a minute of the move and a paper's
some minutes later, about whom it moved, with the sign of the move. All other articles are drawn from the
seed, mild in what they say. An article depends on (seed, session, symbol, number) or on its event alone, so
the same question at the same moment has the same answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from simulation.market.hours import local
from simulation.market.mixing import between, mixed, unit
from simulation.market.parts import MarketEvent, Move

FIRST_AT = time(4, 0)  # New York
SPREAD_S = 13 * 3_600
ARTICLES_MOST = 12  # of a symbol and session
DAYS_KEPT = 4_096
MILD, RELEVANCE = (-0.25, 0.35), (0.2, 0.8)  # of whom a drawn article is about
MILD_OF_OTHERS, RELEVANCE_OF_OTHERS = (-0.2, 0.2), 0.1  # of who is named beside
SALT_COUNT, SALT_TIME, SALT_SCORE, SALT_OTHER, SALT_WORDS = 101, 102, 103, 104, 105
SALT_REPORT, SALT_RELEVANCE = 106, 107
WORDS = (
    ("holds its annual meeting", "Financial Markets"),
    ("draws mixed views before its report", "Earnings"),
    ("shows what it works on", "Technology"),
    ("is followed by more analysts", "Financial Markets"),
    ("opens a plant", "Manufacturing"),
)
PLACES = ("Example Wire", "Sample Journal", "Desk Gazette")
TOPICS_OF_EVENTS = {
    "release": ("Economy - Macro", "Financial Markets"),
    "decision": ("Economy - Monetary", "Financial Markets"),
    "earnings": ("Earnings", "Financial Markets"),
    "surprise": ("Financial Markets",),
}
REPORTS_S = ((5, 60), (120, 600))  # after the move: the wire's, the paper's
TICKERS_MOST = 20
MOVED_ENOUGH = 0.15  # in deviations of a day: less is told as neutral
RELEVANCE_OF_NAMED, RELEVANCE_OF_MOST, RELEVANCE_SPREAD = 0.9, 0.6, 0.1


@dataclass(frozen=True, slots=True)
class Article:
    """One article; scores by symbol as (score, relevance)."""

    published_at: datetime
    title: str
    url: str
    publisher: str
    topic: str
    tickers: tuple[tuple[str, float, float], ...]
    more_topics: tuple[str, ...] = ()
    summary: str = ""

    @property
    def score(self) -> float:
        """The score of all."""
        if not self.tickers:
            return 0.0
        return round(sum(score for _, score, _ in self.tickers) / len(self.tickers), 6)

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics, the first one first."""
        return (self.topic, *self.more_topics)

    def relevance_of(self, symbols: Iterable[str]) -> float:
        """How much it is about some symbols; of none of them, about anybody."""
        asked = set(symbols)
        told = [relevance for symbol, _, relevance in self.tickers if not asked or symbol in asked]
        return max(told, default=0.0)


def articles_of(
    seed: int, symbol: str, others: Sequence[str], days: Sequence[date], since: datetime, at: datetime
) -> list[Article]:
    """Drawn articles about the symbol after `since` up to `at`, newest first."""
    names = tuple(others)
    found = [
        article
        for day in days
        for article in _of_day(seed, symbol, names, day)
        if since < article.published_at <= at
    ]
    return newest_first(found)


def newest_first(articles: Iterable[Article]) -> list[Article]:
    """In the order of the vendor's feed."""
    return sorted(articles, key=lambda article: (article.published_at, article.url), reverse=True)


def articles_about(seed: int, event: MarketEvent) -> tuple[Article, ...]:
    """What is reported of one event; nothing where it moved nobody."""
    moves = event.moves[:TICKERS_MOST]
    return tuple(_report(seed, event, moves, number) for number in range(len(REPORTS_S)) if moves)


def score_of(deviations: float) -> float:
    """The sentiment of a move: 0.5 for one of a daily deviation, never 1; sums and quotients only."""
    return round(deviations / (1.0 + abs(deviations)), 6)


def _report(seed: int, event: MarketEvent, moves: Sequence[Move], number: int) -> Article:
    second = int(event.at.timestamp())
    keys = (seed, second, _number(event.symbol), number)
    published_at = event.at + timedelta(seconds=between(*REPORTS_S[number], *keys, SALT_REPORT))
    biggest = abs(moves[0].deviations)
    tickers = []
    for move in moves:
        draw = RELEVANCE_SPREAD * unit(*keys, _number(move.symbol), SALT_RELEVANCE)
        share = abs(move.deviations) / biggest
        most = RELEVANCE_OF_NAMED if event.symbol else RELEVANCE_OF_MOST * share
        tickers.append((move.symbol, score_of(move.deviations), round(most + draw, 6)))
    words = f"{event.headline}{_direction(moves[0].deviations)}"
    topics = TOPICS_OF_EVENTS[event.kind]
    slug = "-".join(part.lower() for part in event.headline.replace("'", "").split())
    return Article(
        published_at=published_at,
        title=words if number == 0 else f"What is behind it: {words[0].lower()}{words[1:]}",
        url=f"https://news.example/{event.at:%Y/%m/%d}/{second}-{slug}-{number}",
        publisher=PLACES[(number + mixed(*keys)) % len(PLACES)],
        topic=topics[0],
        tickers=tuple(tickers),
        more_topics=topics[1:],
        summary=f"{words}. Moved: {', '.join(move.symbol for move in moves[:5])}.",
    )


def _direction(deviations: float) -> str:
    if abs(deviations) < MOVED_ENOUGH:
        return ", to little effect"
    return ", shares rise" if deviations > 0 else ", shares fall"


def _drawn(span: tuple[float, float], share: float) -> float:
    low, high = span
    return round(low + share * (high - low), 6)


@lru_cache(maxsize=DAYS_KEPT)
def _of_day(seed: int, symbol: str, others: tuple[str, ...], day: date) -> tuple[Article, ...]:
    count = between(2, ARTICLES_MOST, seed, day.toordinal(), _number(symbol), SALT_COUNT)
    return tuple(_article(seed, symbol, others, day, number) for number in range(count))


def _article(seed: int, symbol: str, others: Sequence[str], day: date, number: int) -> Article:
    keys = (seed, day.toordinal(), _number(symbol), number)
    moment = local(day, FIRST_AT) + timedelta(seconds=between(0, SPREAD_S, *keys, SALT_TIME))
    bits = mixed(*keys, SALT_WORDS)
    tickers = [(symbol, _drawn(MILD, unit(*keys, SALT_SCORE)), _drawn(RELEVANCE, unit(*keys)))]
    other = others[bits % len(others)] if others else symbol
    if other != symbol:
        tickers.append((other, _drawn(MILD_OF_OTHERS, unit(*keys, SALT_OTHER)), RELEVANCE_OF_OTHERS))
    words, topic = WORDS[bits % len(WORDS)]
    return Article(
        published_at=moment,
        title=f"{symbol} {words}",
        url=f"https://news.example/{day:%Y/%m/%d}/{symbol.lower()}-{number}-{words.replace(' ', '-')}",
        publisher=PLACES[bits % len(PLACES)],
        topic=topic,
        tickers=tuple(tickers),
    )


def _number(symbol: str) -> int:
    return int.from_bytes(symbol.encode()[:7], "big")
