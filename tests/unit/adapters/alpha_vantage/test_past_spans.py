"""A span of articles that an answer does not hold is asked for again in halves, down to a minute."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.alpha_vantage import past_news
from adapters.alpha_vantage.past_news import read_span
from trading.model.market import NewsItem
from trading.ports.vendor_source import NewsRead

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
HELD = 3  # articles of one answer


@pytest.mark.parametrize("count", [2, 3, 5, 20])
def test_an_answer_that_is_just_full_may_have_been_cut(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """The vendor gives its most and says nothing of the rest: with one fewer it has told all."""
    monkeypatch.setattr(past_news, "ITEMS_MAX", HELD)
    told = [
        NewsItem(
            item_id=str(n), published_at=NOON + timedelta(minutes=n), title=str(n), url="https://x.example/",
            publisher="wire", score=None, label="", topics=(), tickers=(),
        )
        for n in range(count)
    ]  # fmt: skip
    asked: list[tuple[datetime, datetime]] = []

    def ask(first: datetime, last: datetime) -> NewsRead:
        asked.append((first, last))
        newest = [item for item in told if first <= item.published_at <= last][-HELD:]
        return NewsRead(items=tuple(newest), refused=(), rows=len(newest))

    read = read_span(ask, "news of SPY", NOON, NOON + timedelta(minutes=60))
    assert [item.item_id for item in read.items] == [str(n) for n in range(count)]
    assert (len(asked) > 1) is (count >= HELD)
