"""NEWS_SENTIMENT of the stand-in: what moves the market can be read, with its sign; history, orders."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from simulation.http.alpha_vantage import AlphaVantageStub
from simulation.http.news_feed import TOPICS
from simulation.http.server import Request
from simulation.http.vendor_words import KEY, NO_ARTICLES, REFUSALS
from simulation.http.world_book import WorldBook
from simulation.market.parts import MarketEvent
from simulation.market.world import World, new_world

SEED, SESSIONS = 20260714, 8
SHAPE = [
    "title", "url", "time_published", "authors", "summary", "banner_image", "source",
    "category_within_source", "source_domain", "topics", "overall_sentiment_score",
    "overall_sentiment_label", "ticker_sentiment",
]  # fmt: skip
MOVED = 0.15  # of a day's deviation: less is neutral


@pytest.fixture(scope="module")
def world() -> World:
    """A week and a half with earnings, releases and surprises."""
    return new_world(SEED, datetime(2026, 11, 2, tzinfo=UTC).date(), SESSIONS)


@pytest.fixture(scope="module")
def stub(world: World) -> AlphaVantageStub:
    """A vendor of that world on the evening of its last session; it is not listening."""
    evening = world.calendar.session_close(world.sessions[-1]) + timedelta(hours=3)
    return AlphaVantageStub(WorldBook(world), lambda: evening, per_minute=0)


def asked(stub: AlphaVantageStub, **params: str) -> dict[str, Any]:
    """The vendor's answer to one question."""
    query = str(httpx.QueryParams({"apikey": KEY, "function": "NEWS_SENTIMENT", **params}))
    answer = stub.answer(Request("GET", "/query", query, {}))
    assert answer.status == 200
    told: dict[str, Any] = json.loads(answer.body)
    return told


def feed(stub: AlphaVantageStub, **params: str) -> list[dict[str, Any]]:
    """The articles of an answer."""
    told = asked(stub, **params)
    assert int(told["items"]) == len(told["feed"])
    return list(told["feed"])


def stamp(at: datetime) -> str:
    """A moment as a question writes it."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M}"


def times(articles: list[dict[str, Any]]) -> list[str]:
    """When they were published."""
    return [article["time_published"] for article in articles]


def test_every_event_is_read_as_news_of_whom_it_moved(world: World, stub: AlphaVantageStub) -> None:
    """Within a minute of the move there is an article with its headline and the sign of each one's move."""
    assert {event.kind for event in world.events} >= {"earnings", "release", "surprise"}
    assert {event.is_scheduled for event in world.events} == {True, False}
    for event in world.events:
        assert event.moves
        for move in event.moves[:3]:
            told = _report(stub, event, move.symbol)
            scores = {row["ticker"]: row for row in told["ticker_sentiment"]}
            score = float(scores[move.symbol]["ticker_sentiment_score"])
            assert score * move.deviations > 0
            assert float(scores[move.symbol]["relevance_score"]) > 0.3
            label = scores[move.symbol]["ticker_sentiment_label"].lower()
            if abs(move.deviations) > 2 * MOVED:
                assert label.endswith("bullish" if move.size > 0 else "bearish")


def _report(stub: AlphaVantageStub, event: MarketEvent, symbol: str) -> dict[str, Any]:
    span = {"time_from": stamp(event.at), "time_to": stamp(event.at + timedelta(minutes=2))}
    found = feed(stub, tickers=symbol, **span, limit="1000")
    (told,) = (article for article in found if article["title"].startswith(event.headline))
    return told


def test_what_an_event_says_is_what_prices_did(world: World) -> None:
    """A surprise's moves are the jumps of its second, in size and sign; nobody else jumped then."""
    surprises = [event for event in world.events if not event.is_scheduled]
    assert surprises
    shares = {listed.underlying.symbol: listed.underlying for listed in _shares(world)}
    for event in surprises:
        second = int(event.at.timestamp())
        for symbol, underlying in shares.items():
            before, after = (world.quotes.spot_cents(underlying, second + n) for n in (-1, 0))
            told = sum(move.size for move in event.moves if move.symbol == symbol)
            usual = 6e-4  # what a second moves without news
            assert abs((after - before) / before - told) < usual, (event, symbol)


def _shares(world: World) -> list[Any]:
    return [each for each in world.listings.by_conid.values() if each.underlying and each.asset == "STK"]


def test_news_comes_after_its_event_and_never_before_the_clock(world: World) -> None:
    """A minute before an event nothing is told of it, whatever span is asked for."""
    event = max(world.events, key=lambda event: abs(event.moves[0].deviations))
    clock = [event.at - timedelta(minutes=1)]
    stub = AlphaVantageStub(WorldBook(world), lambda: clock[0], per_minute=0)
    question = {"tickers": event.moves[0].symbol, "time_to": stamp(event.at + timedelta(days=1))}
    assert not [row for row in feed(stub, **question) if event.headline in row["title"]]
    clock[0] = event.at + timedelta(minutes=2)
    assert [row for row in feed(stub, **question) if event.headline in row["title"]]


def test_an_article_has_the_vendors_shape(stub: AlphaVantageStub) -> None:
    """Names, their order, and which numbers are texts; labels come in both spellings."""
    told = asked(stub, tickers="AAPL", limit="1000")
    assert list(told) == ["items", "sentiment_score_definition", "relevance_score_definition", "feed"]
    labels = set()
    for article in told["feed"]:
        assert list(article) == SHAPE
        assert isinstance(article["overall_sentiment_score"], float)
        assert all(isinstance(topic["relevance_score"], str) for topic in article["topics"])
        assert {topic["topic"] for topic in article["topics"]} <= set(TOPICS.values())
        assert article["banner_image"] is None or article["banner_image"].startswith("https://")
        for row in article["ticker_sentiment"]:
            assert [type(value) for value in row.values()] == [str] * 4
            labels.add(row["ticker_sentiment_label"])
    assert {"Somewhat-Bullish", "Somewhat_Bullish"} <= labels


def test_history_is_told_by_its_span(world: World, stub: AlphaVantageStub) -> None:
    """Both ends are minutes and included; the spans of a week's days make up the week."""
    first, last = world.sessions[0], world.sessions[-1]
    whole = feed(stub, tickers="SPY", limit="1000", time_from=f"{first:%Y%m%d}T0000")
    spans = [(f"{day:%Y%m%d}T0000", f"{day:%Y%m%d}T2359") for day in _days(first, last)]
    told = [
        article
        for since, until in spans
        for article in asked(stub, tickers="SPY", time_from=since, time_to=until, limit="1000").get(
            "feed", []
        )
    ]
    assert sorted(times(told)) == sorted(times(whole))
    minute = whole[5]["time_published"][:13]
    assert whole[5] in feed(stub, tickers="SPY", time_from=minute, time_to=minute)


def _days(first: Any, last: Any) -> list[Any]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_years_before_the_world_have_news_too(stub: AlphaVantageStub) -> None:
    """A loader of history is answered for months in which nothing was simulated."""
    told = feed(stub, tickers="AAPL", time_from="20260105T0000", time_to="20260206T2359", limit="1000")
    assert len(told) > 50
    assert {moment[:6] for moment in times(told)} == {"202601", "202602"}


def test_the_orders_are_the_vendors(stub: AlphaVantageStub) -> None:
    """Newest first where nothing is said; the limit takes from the order's front, and is 50 by itself."""
    question = {"tickers": "AAPL", "time_from": "20261001T0000"}
    latest = feed(stub, **question)
    assert len(latest) == 50
    assert times(latest) == sorted(times(latest), reverse=True)
    assert latest == feed(stub, **question, sort="LATEST")
    earliest = feed(stub, **question, sort="EARLIEST", limit="20")
    assert len(earliest) == 20
    assert times(earliest) == sorted(times(earliest))
    assert times(earliest)[0] < times(latest)[-1]
    whole = feed(stub, **question, limit="1000")
    relevant = feed(stub, **question, sort="RELEVANCE", limit="10")
    weights = [_relevance(article) for article in relevant]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == max(_relevance(article) for article in whole)


def _relevance(article: dict[str, Any]) -> float:
    return max(
        float(row["relevance_score"]) for row in article["ticker_sentiment"] if row["ticker"] == "AAPL"
    )


def test_several_tickers_and_topics_are_all_asked_for_together(stub: AlphaVantageStub) -> None:
    """An article must be about each of them."""
    both = feed(stub, tickers="SPY,QQQ", time_from="20261101T0000", limit="1000")
    assert both
    for article in both:
        assert {"SPY", "QQQ"} <= {row["ticker"] for row in article["ticker_sentiment"]}
    topics = feed(stub, topics="economy_macro,financial_markets", time_from="20261101T0000", limit="1000")
    assert topics
    for article in topics:
        assert {"Economy - Macro", "Financial Markets"} <= {topic["topic"] for topic in article["topics"]}
    assert len({row["ticker"] for article in feed(stub) for row in article["ticker_sentiment"]}) > 3


def test_a_span_without_news_has_words_and_no_feed(stub: AlphaVantageStub) -> None:
    """As the vendor says it, in the place of an empty list; a Sunday and a time to come are such spans."""
    for span in (("20261108T0000", "20261108T2359"), ("20271108T0000", "20271109T0000")):
        told = asked(stub, tickers="AAPL", time_from=span[0], time_to=span[1])
        assert told == {"Information": NO_ARTICLES}


@pytest.mark.parametrize(
    "wrong",
    [
        {"tickers": "NOSUCH"},
        {"tickers": "AAPL,NOSUCH"},
        {"topics": "gossip"},
        {"sort": "OLDEST"},
        {"limit": "many"},
        {"time_from": "2026-11-02"},
        {"time_from": "20261103T0000", "time_to": "20261102T0000"},
    ],
)
def test_what_the_vendor_does_not_know_is_refused(stub: AlphaVantageStub, wrong: dict[str, str]) -> None:
    """With its words for inputs that are none."""
    assert asked(stub, **wrong) == {"Information": REFUSALS["inputs"][1]}
