"""NEWS_SENTIMENT as Alpha Vantage answers it: which articles a question is about, in which order and shape.

Times are UTC to the minute in questions and to the second in answers, both ends included. Several tickers or
topics mean articles about all of them. Scores of tickers and relevances are texts, the overall score is a
number; labels come in both spellings that the vendor uses. Nothing found is no feed at all but the vendor's
words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zlib import crc32

from simulation.http.articles import Article, newest_first
from simulation.http.server import Answer
from simulation.http.vendor_book import VendorBook
from simulation.http.vendor_words import asked_symbol, no_articles, refusal
from trading.model.symbols import vendor_symbol

LIMIT, LIMIT_MOST = 50, 1_000
TICKERS_MOST = 50
BACK_OF_TICKERS, BACK_OF_ALL = timedelta(days=30), timedelta(days=4)  # where no beginning is asked for
ORDERS: Final = ("LATEST", "EARLIEST", "RELEVANCE")
TOPICS: Final[Mapping[str, str]] = {
    "blockchain": "Blockchain",
    "earnings": "Earnings",
    "ipo": "IPO",
    "mergers_and_acquisitions": "Mergers & Acquisitions",
    "financial_markets": "Financial Markets",
    "economy_fiscal": "Economy - Fiscal",
    "economy_monetary": "Economy - Monetary",
    "economy_macro": "Economy - Macro",
    "energy_transportation": "Energy & Transportation",
    "finance": "Finance",
    "life_sciences": "Life Sciences",
    "manufacturing": "Manufacturing",
    "real_estate": "Real Estate & Construction",
    "retail_wholesale": "Retail & Wholesale",
    "technology": "Technology",
}
SCORE_WORDS = (
    "x <= -0.35: Bearish; -0.35 < x <= -0.15: Somewhat-Bearish; -0.15 < x < 0.15: Neutral; "
    "0.15 <= x < 0.35: Somewhat_Bullish; x >= 0.35: Bullish"
)
NEUTRAL_BELOW, WHOLE_FROM = 0.15, 0.35
RELEVANCE_WORDS = "0 < x <= 1, with a higher score indicating higher relevance."
SECOND_OF_MINUTE = timedelta(seconds=59)
JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsQuestion:
    """What is asked for; no tickers and no topics are all of them."""

    tickers: tuple[str, ...]
    topics: tuple[str, ...]
    since: datetime
    until: datetime
    order: str
    limit: int


def news_answer(book: VendorBook, params: Mapping[str, str], at: datetime) -> Answer:
    """The answer to one question at a moment of the market's clock."""
    question = _question(params, at)
    found = None if question is None else _found(book, question)
    if question is None or found is None:
        return refusal("inputs")
    if not found:
        return no_articles()
    feed = [_item(article) for article in _ordered(found, question)[: question.limit]]
    words = {"sentiment_score_definition": SCORE_WORDS, "relevance_score_definition": RELEVANCE_WORDS}
    return Answer.of({"items": str(len(feed)), **words, "feed": feed})


def _question(params: Mapping[str, str], at: datetime) -> NewsQuestion | None:
    """None where the vendor would not take it."""
    tickers, topics = _listed(params, "tickers"), _listed(params, "topics")
    limit, order = params.get("limit", str(LIMIT)), params.get("sort", ORDERS[0]).upper()
    try:
        since, until = _moment(params.get("time_from", "")), _moment(params.get("time_to", ""))
    except ValueError:
        return None
    tickers_are_known = all(map(asked_symbol, tickers)) and len(tickers) <= TICKERS_MOST
    is_known = order in ORDERS and all(topic in TOPICS for topic in topics) and tickers_are_known
    if not is_known or not (limit.isascii() and limit.isdecimal() and len(limit) < 10):
        return None
    latest = min(until + SECOND_OF_MINUTE, at) if until else at
    earliest = since or latest - (BACK_OF_TICKERS if tickers else BACK_OF_ALL)
    if until and since and since > until:
        return None
    return NewsQuestion(
        tickers=tuple(told for ticker in tickers if (told := asked_symbol(ticker))),
        topics=tuple(TOPICS[topic] for topic in topics),
        since=earliest,
        until=latest,
        order=order,
        limit=min(int(limit), LIMIT_MOST),
    )


def _found(book: VendorBook, question: NewsQuestion) -> list[Article] | None:
    """Articles about all that is asked for; None where a ticker is unknown."""
    by_url: dict[str, Article] = {}
    for symbol in question.tickers or ("",):
        told = book.articles(symbol, question.since - JUST_BEFORE, question.until)
        if told is None:
            return None
        by_url |= {article.url: article for article in told}
    wanted, topics = set(question.tickers), set(question.topics)
    return [
        article
        for article in by_url.values()
        if wanted <= {symbol for symbol, _, _ in article.tickers} and topics <= set(article.topics)
    ]


def _ordered(articles: Sequence[Article], question: NewsQuestion) -> list[Article]:
    told = newest_first(articles)
    if question.order == "EARLIEST":
        return told[::-1]
    if question.order == "RELEVANCE":
        return sorted(told, key=lambda article: -article.relevance_of(question.tickers))
    return told


def _item(article: Article) -> dict[str, object]:
    spelling = crc32(article.url.encode())
    return {
        "title": article.title,
        "url": article.url,
        "time_published": f"{article.published_at.astimezone(UTC):%Y%m%dT%H%M%S}",
        "authors": [article.publisher],
        "summary": article.summary or article.title,
        "banner_image": None if spelling % 3 else "https://news.example/banner.png",
        "source": article.publisher,
        "category_within_source": "n/a" if spelling % 2 else "Markets",
        "source_domain": "news.example",
        "topics": [
            {"topic": topic, "relevance_score": f"{1 / (1 + place):.6f}"}
            for place, topic in enumerate(article.topics)
        ],
        "overall_sentiment_score": article.score,
        "overall_sentiment_label": label(article.score, spelling),
        "ticker_sentiment": [
            {
                "ticker": vendor_symbol(symbol),
                "relevance_score": f"{relevance:.6f}",
                "ticker_sentiment_score": f"{score:.6f}",
                "ticker_sentiment_label": label(score, spelling + 1),
            }
            for symbol, score, relevance in article.tickers
        ],
    }


def label(score: float, spelling: int) -> str:
    """The vendor's word for a score, in one of its two spellings."""
    if abs(score) < NEUTRAL_BELOW:
        return "Neutral"
    side = "Bullish" if score > 0 else "Bearish"
    # The outer bounds belong to the outer words, the inner ones to those beside neutral.
    return side if abs(score) >= WHOLE_FROM else f"Somewhat{'_' if spelling % 2 else '-'}{side}"


def _listed(params: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in params.get(name, "").split(",") if part.strip()))


def _moment(text: str) -> datetime | None:
    """A moment of a question; None for none, ValueError for what is no moment."""
    form = "%Y%m%dT%H%M%S" if len(text) == len("20260101T000000") else "%Y%m%dT%H%M"
    return datetime.strptime(text, form).replace(tzinfo=UTC) if text else None
