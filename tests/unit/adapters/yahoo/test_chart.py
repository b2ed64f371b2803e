"""Yahoo's chart of the index: live value and minutes from one answer, and whatever else may come."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.yahoo.chart import read_chart
from trading.ports.vendor_source import VendorUnavailableError
from trading.ports.volatility_source import IndexQuotes

MINUTE = timedelta(minutes=1)
TEN = datetime(2026, 11, 20, 15, tzinfo=UTC)
STAMP = int(TEN.timestamp())


def chart(**changes: Any) -> dict[str, Any]:
    """An answer of three minutes in the real shape."""
    meta = {
        "currency": "USD", "symbol": "^VIX1D", "exchangeName": "CXI", "instrumentType": "INDEX",
        "regularMarketTime": STAMP + 130, "regularMarketPrice": 14.56,
    } | changes.get("meta", {})  # fmt: skip
    times = changes.get("timestamp", [STAMP, STAMP + 60, STAMP + 120])
    closes = changes.get("close", [14.020000457763672, 14.31, 14.55])
    result = {"meta": meta, "timestamp": times, "indicators": {"quote": [{"close": closes, "open": closes}]}}
    return {"chart": {"result": [result], "error": None}}


def read(document: object) -> IndexQuotes:
    """Read an answer."""
    return read_chart(json.dumps(document).encode(), MINUTE)


def test_bars_count_at_their_end_and_the_live_value_is_last() -> None:
    """The minute from ten o'clock on is the value of a minute past; the one that is open is left out."""
    told = [(each.at - TEN, each.value) for each in read(chart()).observations]
    assert told == [
        (timedelta(seconds=60), Decimal("14.02")),
        (timedelta(seconds=120), Decimal("14.31")),
        (timedelta(seconds=130), Decimal("14.56")),
    ]


def test_a_day_without_bars_has_its_live_value() -> None:
    """Before the opening there is no column of times at all."""
    empty = chart(timestamp=[], close=[])
    assert len(read(empty).observations) == 1
    del empty["chart"]["result"][0]["timestamp"]
    empty["chart"]["result"][0]["indicators"] = {"quote": [{}]}
    assert len(read(empty).observations) == 1


def test_minutes_without_a_value_are_none_and_wrong_ones_are_refused() -> None:
    """null is no value; zero, text and a time that is none are named with what stood there."""
    quotes = read(chart(timestamp=[STAMP - 60, STAMP, "x", STAMP + 60], close=[None, 0, 14.1, 14.2]))
    assert [each.value for each in quotes.observations] == [Decimal("14.2"), Decimal("14.56")]
    assert [(row.field, row.payload) for row in quotes.refused] == [
        ("value", f'{{"close":0,"timestamp":{STAMP}}}'),
        ("at", '{"close":14.1,"timestamp":"x"}'),
    ]


@pytest.mark.parametrize("close", [10**27, 1e30, 1e308, -1e30])
def test_an_absurd_minute_costs_no_other(close: float) -> None:
    """A number that no index has is refused alone."""
    quotes = read(chart(close=[14.1, close, 14.55]))
    assert [each.value for each in quotes.observations] == [Decimal("14.1"), Decimal("14.56")]
    assert [row.field for row in quotes.refused] == ["value"]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "as chart"),
        (chart(meta={"regularMarketPrice": 1e300}), "no value"),
        ([], "as answer"),
        ({"chart": {"result": None, "error": {"code": "Not Found"}}}, "refused"),
        ({"chart": {"result": [], "error": None}}, "one result"),
        ({"chart": {"result": [1], "error": None}}, "as result"),
        ({"chart": {"result": [{}], "error": None}}, "as meta"),
        (chart(meta={"symbol": "^VIX"}), "expected ^VIX1D"),
        (chart(meta={"regularMarketPrice": None}), "no value"),
        (chart(meta={"regularMarketPrice": -1}), "no value"),
        (chart(meta={"regularMarketTime": None}), "no value"),
        (chart(meta={"regularMarketTime": True}), "no value"),
        (chart(close=[1.0]), "as many closes as times"),
        (chart(timestamp=[STAMP] * 20_001, close=[14.0] * 20_001), "at most 20000 bars"),
    ],
)
def test_what_is_no_chart_of_the_index_is_refused(document: object, words: str) -> None:
    """Another symbol, an error, a missing value: a failure of the source that says what was wrong."""
    with pytest.raises(VendorUnavailableError) as refusal:
        read(document)
    assert words in str(refusal.value)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    anything, st.sampled_from(["meta", "timestamp", "indicators", "regularMarketPrice", "regularMarketTime"])
)
def test_no_answer_raises_anything_else(value: object, place: str) -> None:
    """Whatever stands in a field: values above zero, or a refusal by name."""
    document = chart()
    result = document["chart"]["result"][0]
    (result["meta"] if place.startswith("regular") else result)[place] = value
    try:
        quotes = read(document)
    except VendorUnavailableError:
        return
    assert all(0 < each.value < 1_000 for each in quotes.observations)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """A page, half a document, noise."""
    with pytest.raises(VendorUnavailableError):
        read_chart(body, MINUTE)


@pytest.mark.parametrize(("told", "bars"), [("1m", 2), (None, 2), ("1d", 0), ("5m", 0), (7, 0)])
def test_bars_of_another_length_are_refused_together(told: object, bars: int) -> None:
    """Asked for minutes of what has only days, the vendor sends days: a close would stand at the opening."""
    quotes = read(chart(meta={"dataGranularity": told}))
    assert len(quotes.observations) == bars + 1
    assert quotes.observations[-1].value == Decimal("14.56")
    assert [row.field for row in quotes.refused] == ([] if bars else ["dataGranularity"])


def test_the_words_of_the_gate_are_told() -> None:
    """A refusal before the chart comes in an envelope of its own."""
    refusal = {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}}
    with pytest.raises(VendorUnavailableError, match="Invalid Crumb"):
        read(refusal)
