"""The vendor is asked in its own spelling of a symbol, and rows carry the house's."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import cast

import pytest

from adapters.alpha_vantage.client import AlphaVantageClient
from adapters.alpha_vantage.source import AlphaVantage
from adapters.venue.payload import JsonObject, decode

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
HOUSE, VENDOR = "BRK B", "BRK-B"
ROW = {
    "contractID": "BRKB261218C00500000",
    "symbol": VENDOR,
    "expiration": "2026-12-18",
    "strike": "500.00",
    "type": "call",
    "date": "2026-11-13",
    "open_interest": "7",
}
TABLE = {
    "Meta Data": {"1: Symbol": VENDOR},
    "Technical Analysis: RSI": {"2026-11-13 11:59": {"RSI": "50.0"}},
}


class Vendor:
    """Writes down what it is asked; answers each function as the vendor does."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, str]] = []

    def ask(self, params: Mapping[str, str]) -> JsonObject:
        """One answer."""
        self.asked.append(params)
        answers: dict[str, object] = {"NEWS_SENTIMENT": {"feed": []}, "RSI": TABLE}
        told = answers.get(params["function"], {"data": [ROW]})
        return cast(JsonObject, decode(json.dumps(told).encode()))


@pytest.mark.parametrize("realtime", [True, False])
def test_each_function_is_asked_for_the_vendor_s_name(realtime: bool) -> None:
    """The broker's blank is a symbol that the vendor does not know."""
    vendor = Vendor()
    source = AlphaVantage(cast(AlphaVantageClient, vendor), realtime=realtime)
    chain = source.chain(HOUSE, NOON)
    source.settled_chain(HOUSE, date(2026, 11, 13))
    source.news(HOUSE, NOON - timedelta(days=1), NOON)
    source.past_news(HOUSE, NOON - timedelta(days=1), NOON)
    reading = source.technical(HOUSE, "RSI", NOON).reading
    assert [asked.get("symbol") or asked["tickers"] for asked in vendor.asked] == [VENDOR] * 5
    assert chain.snapshot is not None
    assert reading is not None
    assert {chain.snapshot.symbol, chain.snapshot.contracts[0].option.symbol, reading.symbol} == {HOUSE}
