"""Whatever a vendor answers is rows, refused rows or a typed error: nothing else ever leaves the adapter."""

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from vendor_desk import NOON, SYMBOL, option_row

from adapters.alpha_vantage.news import read_news
from adapters.alpha_vantage.options import read_chain
from adapters.alpha_vantage.refusals import kind_of, refusal_text
from adapters.alpha_vantage.technicals import INDICATORS, read_technical
from adapters.venue.payload import JsonObject, decode
from trading.model.market import ChainContract

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["-1", "1e999", "NaN", "0x10", "1_000", " 5.0 ", "٣", "2026-11-23", "call", "AAPL261218C00250000"]
    )
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ARTICLE: dict[str, Any] = {
    "title": "t",
    "url": "https://n.example/1",
    "time_published": "20261123T163000",
    "source": "s",
    "topics": [{"topic": "x"}],
    "overall_sentiment_score": 0.1,
    "overall_sentiment_label": "Neutral",
    "ticker_sentiment": [
        {
            "ticker": "AAPL",
            "relevance_score": "0.5",
            "ticker_sentiment_score": "0.1",
            "ticker_sentiment_label": "Neutral",
        }
    ],
}
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def wire(value: object) -> Any:
    """As it comes from the wire."""
    return decode(json.dumps(value))


def changed(row: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A good row with some of its values replaced or taken away."""
    return st.dictionaries(st.sampled_from(sorted(row)), JSON, max_size=4).map(lambda some: {**row, **some})


def is_sane(contract: ChainContract) -> bool:
    """Whether a contract that was taken can be one."""
    prices = [price for price in (contract.bid, contract.ask, contract.last) if price is not None]
    sizes = [size for size in (contract.bid_size, contract.ask_size, contract.volume) if size is not None]
    is_crossed = contract.bid is not None and contract.ask is not None and contract.bid > contract.ask
    greeks = contract.greeks
    return (
        all(price > 0 for price in prices)
        and all(size >= 0 for size in sizes)
        and not is_crossed
        and (greeks is None or 0 < greeks.implied_volatility <= 10)
    )


@FUZZ
@given(st.lists(changed(dict(option_row())) | JSON, max_size=6))
@example([{**option_row(), "implied_volatility": True}])
@example([{**option_row(), "strike": 250.0, "bid": 5, "type": "CALL"}])
def test_any_option_rows(rows: list[Any]) -> None:
    """Every row is taken, repeated or refused, and what is taken can be a contract."""
    told = read_chain(wire(rows), SYMBOL, NOON)
    contracts = () if told.snapshot is None else told.snapshot.contracts
    assert len(contracts) + told.repeated + len(told.refused) == len(rows)
    assert all(is_sane(contract) for contract in contracts)
    assert all(row.reason and len(row.payload) <= 5_000 for row in told.refused)


@FUZZ
@given(st.lists(changed(ARTICLE) | JSON, max_size=5))
def test_any_articles(rows: list[Any]) -> None:
    """Scores stay in their range, and nothing is raised."""
    told = read_news(wire(rows), SYMBOL, NOON)
    assert len(told.items) + len(told.refused) <= len(rows)
    for item in told.items:
        assert -1 <= item.score <= 1
        assert all(-1 <= ticker.score <= 1 and 0 <= ticker.relevance <= 1 for ticker in item.tickers)


@FUZZ
@given(
    st.sampled_from(sorted(INDICATORS)),
    st.dictionaries(st.sampled_from(["2026-11-23 11:58", "x", "2026-11-23 11:59"]), JSON, max_size=3) | JSON,
)
def test_any_indicator(indicator: str, table: Any) -> None:
    """A reading with all of its values, or none and why."""
    told = read_technical(
        JsonObject({"Meta Data": {}, f"Technical Analysis: {indicator}": wire(table)}),
        SYMBOL,
        indicator,
        NOON,
    )
    if told.reading is not None:
        assert set(told.reading.values) == set(INDICATORS[indicator].names.values())


@FUZZ
@given(st.dictionaries(st.sampled_from(["Information", "message", "data", "Note", "x"]), JSON, max_size=4))
def test_any_document_is_a_refusal_or_none(document: dict[str, Any]) -> None:
    """Words are read as words only."""
    text = refusal_text(JsonObject(document))
    assert isinstance(text, str)
    assert kind_of(text)
