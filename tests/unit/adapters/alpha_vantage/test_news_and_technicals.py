"""News and indicators of Alpha Vantage: two spellings, New York and UTC, nonsense refused alone."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from vendor_desk import NOON, SYMBOL

from adapters.alpha_vantage.news import read_news
from adapters.alpha_vantage.technicals import read_technical
from adapters.venue.payload import JsonObject, decode
from simulation.http.server import Answer
from trading.feeds.sentiment import label_of, sentiment_of

DAY_S = 86_400


def article(**changes: object) -> dict[str, object]:
    """A good one."""
    told: dict[str, object] = {
        "title": "AAPL holds steady",
        "url": "https://news.example/a",
        "time_published": "20261123T163000",
        "source": "Example Wire",
        "topics": [{"topic": "Technology", "relevance_score": "0.5"}],
        "overall_sentiment_score": 0.21,
        "overall_sentiment_label": "Somewhat-Bullish",
        "ticker_sentiment": [ticker("AAPL", "0.8", "0.3"), ticker("SPY", "0.1", "-0.2")],
    }
    return {**told, **changes}


def ticker(symbol: str, relevance: str, score: str, label: str = "Somewhat_Bullish") -> dict[str, object]:
    """What an article says of a symbol."""
    return {
        "ticker": symbol,
        "relevance_score": relevance,
        "ticker_sentiment_score": score,
        "ticker_sentiment_label": label,
    }


def wire(rows: list[object]) -> list[object]:
    """The rows as the decoder gives them: exact numbers, objects of its own."""
    told = decode(Answer.of(rows).body)
    assert isinstance(told, list)
    return told


def test_an_article_is_named_by_its_address() -> None:
    """Its id is the hash of the address, its time is UTC, both spellings of a label are one."""
    read = read_news(wire([article(), article(title="again")]), SYMBOL, NOON)
    (item,) = read.items
    assert item.item_id == sha256(b"https://news.example/a").hexdigest()[:32]
    assert item.published_at == datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    assert (item.label, item.tickers[0].label, item.topics) == (
        "somewhat_bullish",
        "somewhat_bullish",
        ("Technology",),
    )
    assert item.score == 0.21


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": None}, "url"),
        ({"time_published": "2026-11-23 16:30"}, "time_published"),
        ({"time_published": "20261123T180000"}, "time_published"),  # an hour from now
        ({"overall_sentiment_score": 7}, "overall_sentiment_score"),
        ({"overall_sentiment_score": None}, "overall_sentiment_score"),
        ({"ticker_sentiment": "none"}, "ticker_sentiment"),
        ({"ticker_sentiment": [ticker("AAPL", "1.5", "0.1")]}, "relevance_score"),
        ({"ticker_sentiment": [ticker("AAPL", "0.5", "-3")]}, "ticker_sentiment_score"),
        ({"ticker_sentiment": [7]}, "row"),
        ({"title": {"a": 1}}, "title"),
    ],
)
def test_a_bad_article_is_refused_alone(changes: dict[str, object], field: str) -> None:
    """The good one arrives."""
    rows = wire([article(url="https://news.example/good"), article(**changes)])
    read = read_news(rows, SYMBOL, NOON)
    assert [item.url for item in read.items] == ["https://news.example/good"]
    assert [(row.field, row.feed) for row in read.refused] == [(field, "sentiment")]


def test_a_label_that_nobody_knows_follows_from_its_score() -> None:
    """Missing and new words are no reason to lose an article."""
    read = read_news(
        wire([article(overall_sentiment_label="Meh", overall_sentiment_score=-0.5)]), SYMBOL, NOON
    )
    assert read.items[0].label == "bearish"


@pytest.mark.parametrize(
    ("score", "label"),
    [
        (-0.35, "bearish"),
        (-0.349, "somewhat_bearish"),
        (-0.15, "somewhat_bearish"),
        (-0.149, "neutral"),
        (0.149, "neutral"),
        (0.15, "somewhat_bullish"),
        (0.35, "bullish"),
    ],
)
def test_labels_are_cut_where_the_vendor_cuts_them(score: float, label: str) -> None:
    """The scale that comes with every answer."""
    assert label_of(score) == label


def test_sentiment_is_weighted_by_relevance() -> None:
    """An article that hardly mentions a symbol hardly counts; one outside the window does not."""
    rows = [
        article(url="https://n.example/1", ticker_sentiment=[ticker("AAPL", "0.9", "0.5")]),
        article(url="https://n.example/2", ticker_sentiment=[ticker("AAPL", "0.1", "-0.5")]),
        article(
            url="https://n.example/3",
            time_published="20261120T163000",
            ticker_sentiment=[ticker("AAPL", "1", "-1")],
        ),
    ]
    items = read_news(wire(list(rows)), SYMBOL, NOON).items
    reading = sentiment_of(SYMBOL, [*items, items[-1]], NOON, DAY_S)
    assert (reading.articles, reading.score, reading.label) == (2, 0.4, "bullish")


def test_without_articles_there_is_no_score() -> None:
    """Silence is not neutral."""
    reading = sentiment_of("MSFT", read_news(wire([article()]), SYMBOL, NOON).items, NOON, DAY_S)
    assert (reading.articles, reading.score, reading.label) == (0, None, "none")


def table(name: str, rows: dict[str, dict[str, str]]) -> JsonObject:
    """An answer with these values."""
    document = decode(
        Answer.of({"Meta Data": {"4: Interval": "1min"}, f"Technical Analysis: {name}": rows}).body
    )
    assert isinstance(document, JsonObject)
    return document


def test_the_newest_value_counts_and_is_dated_in_utc() -> None:
    """The vendor labels bars in New York time; order in the answer does not matter."""
    rows = {"2026-11-23 11:58": {"RSI": "40.1"}, "2026-11-23 11:59": {"RSI": "41.2"}}
    reading = read_technical(table("RSI", rows), SYMBOL, "RSI", NOON).reading
    assert reading is not None
    assert (reading.at, reading.values, reading.source) == (
        NOON - timedelta(minutes=1),
        {"rsi": 41.2},
        "alpha_vantage",
    )


@pytest.mark.parametrize(
    ("indicator", "values", "ours"),
    [
        (
            "MACD",
            {"MACD": "0.1", "MACD_Signal": "0.3", "MACD_Hist": "-0.2"},
            {"macd": 0.1, "signal": 0.3, "histogram": -0.2},
        ),
        (
            "BBANDS",
            {"Real Upper Band": "3", "Real Middle Band": "2", "Real Lower Band": "1"},
            {"upper": 3, "middle": 2, "lower": 1},
        ),
        ("ATR", {"ATR": "0.5"}, {"atr": 0.5}),
    ],
)
def test_values_have_our_names(indicator: str, values: dict[str, str], ours: dict[str, float]) -> None:
    """One spelling downstream, whoever computed."""
    read = read_technical(table(indicator, {"2026-11-23 11:59": values}), SYMBOL, indicator, NOON)
    assert read.reading is not None
    assert read.reading.values == ours


@pytest.mark.parametrize(
    ("indicator", "rows", "field"),
    [
        ("RSI", {"2026-11-23 11:59": {"RSI": "140"}}, "RSI"),
        ("RSI", {"2026-11-23 11:59": {"RSI": "NaN"}}, "RSI"),
        ("RSI", {"2026-11-23 11:59": {}}, "RSI"),
        ("RSI", {"2026-11-23 12:59": {"RSI": "40"}}, "time"),
        ("RSI", {"noon": {"RSI": "40"}}, "time"),
        ("ATR", {"2026-11-23 11:59": {"ATR": "-1"}}, "ATR"),
        (
            "BBANDS",
            {
                "2026-11-23 11:59": {
                    "Real Upper Band": "1",
                    "Real Middle Band": "2",
                    "Real Lower Band": "3",
                }
            },
            "BBANDS",
        ),
    ],
)
def test_values_that_cannot_be_are_refused(
    indicator: str, rows: dict[str, dict[str, str]], field: str
) -> None:
    """No reading, and the dead letter says why."""
    read = read_technical(table(indicator, rows), SYMBOL, indicator, NOON)
    assert read.reading is None
    assert [row.field for row in read.refused] == [field]


def test_no_values_are_none_and_another_document_is_refused() -> None:
    """An empty table is the vendor's "there are none"; an answer to another question is not."""
    assert read_technical(table("RSI", {}), SYMBOL, "RSI", NOON).refused == ()
    told = decode(b'{"weather": "fine"}')
    assert isinstance(told, JsonObject)
    assert [row.field for row in read_technical(told, SYMBOL, "RSI", NOON).refused] == ["answer"]


@pytest.mark.parametrize(
    ("moment", "row", "field"),
    [
        ("zzz", {"RSI": "1"}, "time"),
        ("2029-01-02 10:00", {"RSI": "1"}, "time"),
        ("2026-11-23 11:59", {"RSI": "NaN"}, "RSI"),
        ("2026-11-23 11:59", "none", "row"),
    ],
)
def test_a_wrong_row_costs_no_other_and_is_in_the_dead_letter(moment: str, row: object, field: str) -> None:
    """The newest value that is one counts; what stood before it is refused as it came."""
    told = table("RSI", {"2026-11-23 11:58": {"RSI": "50.5"}, moment: row})  # type: ignore[dict-item]
    read = read_technical(told, SYMBOL, "RSI", NOON)
    assert read.reading is not None
    assert read.reading.values == {"rsi": 50.5}
    (refused,) = read.refused
    assert (refused.field, moment in refused.payload) == (field, True)


def test_a_class_of_shares_is_found_under_the_name_it_was_asked_by() -> None:
    """The vendor's BRK-B is our BRK B, or its sentiment would be none, and nobody told why."""
    told = [ticker("BRK-B", "0.8", "0.3"), ticker("CRYPTO:BTC", "1.0", "0.1")]
    for asked in ("BRK B", "AAPL"):
        read = read_news(wire([article(ticker_sentiment=told)]), asked, NOON)
        assert [each.symbol for each in read.items[0].tickers] == ["BRK B", "CRYPTO:BTC"]
    reading = sentiment_of("BRK B", read.items, NOON, DAY_S)
    assert (reading.articles, reading.score) == (1, 0.3)


def test_an_article_that_is_told_twice_with_other_scores_is_named() -> None:
    """Twice the same is one; of two readings of one address the first counts, and the other is not lost."""
    read = read_news(wire([article(), article(), article(overall_sentiment_score=-0.4)]), SYMBOL, NOON)
    assert [item.score for item in read.items] == [0.21]
    assert [(row.field, "-0.4" in row.payload) for row in read.refused] == [("url", True)]


META = {
    "1: Symbol": "AAPL",
    "2: Indicator": "Relative Strength Index (RSI)",
    "3: Last Refreshed": "2026-11-23 11:59:00",
    "4: Interval": "1min",
    "5: Time Period": 14,
    "6: Series Type": "close",
    "7: Time Zone": "US/Eastern",
}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"7: Time Zone": "US/Eastern Time"}, ""),
        ({"7: Time Zone": "UTC"}, "Time Zone"),
        ({"4: Interval": "daily"}, "Interval"),
        ({"1: Symbol": "IBM"}, "Symbol"),
        ({"9: Time Zone": "Europe/London"}, "Time Zone"),
    ],
)
def test_a_table_of_something_else_is_refused(said: dict[str, str], field: str) -> None:
    """Another symbol's value, another bar's or another clock's would look like ours."""
    meta = {name: value for name, value in META.items() if field not in name or name in said}
    answer = {"Meta Data": meta | said, "Technical Analysis: RSI": {"2026-11-23 11:59": {"RSI": "51.2"}}}
    document = decode(Answer.of(answer).body)
    assert isinstance(document, JsonObject)
    read = read_technical(document, SYMBOL, "RSI", NOON)
    assert [row.field for row in read.refused] == ([field] if field else [])
    assert (read.reading is None) is bool(field)
