"""What articles say of a symbol: their scores weighted by how much each is about it.

The scale and its bounds are those that Alpha Vantage publishes with every answer: up to -0.35 bearish, up to
-0.15 somewhat bearish, below 0.15 neutral, below 0.35 somewhat bullish, from there on bullish.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from trading.model.market import NewsItem, SentimentReading

BEARISH, SOMEWHAT_BEARISH, NEUTRAL = "bearish", "somewhat_bearish", "neutral"
SOMEWHAT_BULLISH, BULLISH, NONE = "somewhat_bullish", "bullish", "none"
LABELS = (BEARISH, SOMEWHAT_BEARISH, NEUTRAL, SOMEWHAT_BULLISH, BULLISH)
SCORE_PLACES = 6


def label_of(score: float) -> str:
    """The scale's word for a score."""
    if score <= -0.35:
        return BEARISH
    if score <= -0.15:
        return SOMEWHAT_BEARISH
    if score < 0.15:
        return NEUTRAL
    return SOMEWHAT_BULLISH if score < 0.35 else BULLISH


def sentiment_of(symbol: str, items: Iterable[NewsItem], at: datetime, window_s: int) -> SentimentReading:
    """The symbol's sentiment at `at` over the articles of the window; an article counts once.

    Without any article that is about the symbol the score is None, which is not neutral.
    """
    since = at - timedelta(seconds=window_s)
    told = {
        item.item_id: ticker
        for item in items
        if since < item.published_at <= at
        for ticker in item.tickers
        if ticker.symbol == symbol and ticker.relevance > 0
    }
    weight = sum(ticker.relevance for ticker in told.values())
    score = None
    if weight > 0:
        total = sum(told[name].score * told[name].relevance for name in sorted(told))
        score = round(total / weight, SCORE_PLACES)
    return SentimentReading(
        symbol=symbol,
        at=at,
        window_s=window_s,
        articles=len(told),
        score=score,
        label=NONE if score is None else label_of(score),
    )
