"""Malformed positions and orders: forty of each end point, none raises through, none is lost, none is
believed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from venue_rows import HUGE

from adapters.kalshi import holdings as kalshi
from adapters.kraken import holdings as kraken
from adapters.venue.holdings import Rows
from trading.model.broker import Complete, Partial
from trading.model.fills import Venue

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ABSENT = object()


@dataclass(frozen=True)
class EndPoint:
    """One end point: how its rows are found and read, one good row, and what does its numbers' work."""

    venue: Venue
    rows_of: Callable[..., Any]
    read_row: Callable[..., Any]
    envelope: Callable[[str], str]
    good: dict[str, Any]
    number: str
    words: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return f"{self.venue}-{self.name}"


END_POINTS = [
    EndPoint(
        Venue.KRAKEN,
        kraken.position_rows,
        kraken.read_position,
        lambda rows: f'{{"result": "success", "openPositions": [{rows}]}}',
        {"side": "long", "symbol": "PI_XBTUSD", "price": "100.5", "size": "5"},
        "size",
        ("side", "symbol"),
        "openPositions",
    ),
    EndPoint(
        Venue.KRAKEN,
        kraken.order_rows,
        kraken.read_order,
        lambda rows: f'{{"result": "success", "openOrders": [{rows}]}}',
        {
            "order_id": "o-1",
            "symbol": "PI_XBTUSD",
            "side": "buy",
            "orderType": "lmt",
            "limitPrice": "100",
            "unfilledSize": "5",
            "filledSize": "0",
            "status": "untouched",
            "receivedTime": "2026-11-20T15:00:00.000Z",
        },
        "unfilledSize",
        ("order_id", "side", "symbol", "status", "receivedTime", "orderType"),
        "openOrders",
    ),
    EndPoint(
        Venue.KALSHI,
        kalshi.market_rows,
        kalshi.read_position,
        lambda rows: f'{{"cursor": "", "market_positions": [{rows}]}}',
        {"ticker": "KXFED-26", "position_fp": "5.00"},
        "position_fp",
        ("ticker", "position_fp"),
        "market_positions",
    ),
    EndPoint(
        Venue.KALSHI,
        kalshi.event_rows,
        kalshi.read_event,
        lambda rows: f'{{"cursor": "", "event_positions": [{rows}]}}',
        {"event_ticker": "KXFED", "total_cost_dollars": "4.20"},
        "total_cost_dollars",
        ("event_ticker",),
        "event_positions",
    ),
    EndPoint(
        Venue.KALSHI,
        kalshi.order_rows,
        kalshi.read_order,
        lambda rows: f'{{"cursor": "", "orders": [{rows}]}}',
        {
            "order_id": "o-1",
            "ticker": "KXFED-26",
            "side": "yes",
            "action": "buy",
            "status": "resting",
            "yes_price_dollars": "0.40",
            "remaining_count_fp": "5.00",
            "created_time": "2026-11-20T15:00:00Z",
        },
        "remaining_count_fp",
        ("order_id", "ticker", "side", "status", "created_time", "yes_price_dollars"),
        "orders",
    ),
]
BAD_NUMBERS = [
    "NaN",
    "-Infinity",
    "1e308",
    "1e-300",
    "five",
    "5,0",
    "1_000",
    "0x10",
    "",
    "  ",
    True,
    [5],
    {"value": 5},
    "9" * 30,
    "9" * 5_000,
    "0.0000000000001",
    "٥ and ٦",
    "5 5",
    "--5",
    "\x00",
]
BAD_WORDS = [ABSENT, None, "", 7.5, [], {}, True, "\ud800", "a\x00b", "x" * 300]
BAD_ROWS = [
    "null",
    "7",
    '"text"',
    "[]",
    "true",
    "NaN",
    '{"a": 1, "a": 2}',
    "{}",
    '{"junk": "' + HUGE + '"}',
    '{"deep": ' + "[" * 400 + "]" * 400 + "}",
]


def bad_rows(point: EndPoint) -> list[str]:
    """At least forty rows that must not be believed."""
    rows = [json.dumps(point.good | {point.number: value}) for value in BAD_NUMBERS]
    for name in point.words:
        for value in BAD_WORDS:
            row = {key: old for key, old in point.good.items() if key != name}
            rows.append(json.dumps(row if value is ABSENT else row | {name: value}))
    return [*rows, *BAD_ROWS]


def read(point: EndPoint, payload: str | bytes) -> Rows[Any]:
    rows: Rows[Any] = Rows(point.venue, "main")
    rows.read(payload, point.rows_of, point.read_row)
    return rows


@pytest.mark.parametrize("point", END_POINTS, ids=str)
def test_no_malformed_row_is_believed_or_lost(point: EndPoint) -> None:
    """Each comes back refused with a reason, the good row beside it is read, and the answer is not whole."""
    rows = bad_rows(point)
    assert len(rows) >= 40
    for bad in rows:
        found = read(point, point.envelope(f"{json.dumps(point.good)}, {bad}"))
        assert len(found.rejected) == 1, bad[:200]
        (refused,) = found.rejected
        assert refused.reason and refused.payload and not refused.is_trade_row
        assert (refused.venue, refused.account) == (point.venue, "main")
        assert len(found.found) == 1, bad[:200]
        assert isinstance(found.answer(NOW, NOW), Partial)


@pytest.mark.parametrize("point", END_POINTS, ids=str)
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"[]",
        b"7",
        b"null",
        b"\xff\xfe",
        b'{"result": "error", "error": "authenticationError"}',
        b'{"error": {"code": "unauthorized"}}',
        b"<html>502</html>",
        b"[" * 200_000,
    ],
)
def test_a_document_without_the_answer_is_not_an_empty_one(point: EndPoint, payload: bytes) -> None:
    """No list, an error, or no JSON: the answer is not whole, so nothing may be concluded from it."""
    if point.name == "event_positions" and payload.startswith(b"{") and b'"error": {' not in payload:
        return  # the events stand beside the markets, whose list is asked for
    answer = read(point, payload).answer(NOW, NOW)
    assert isinstance(answer, Partial)
    assert answer.rows == ()


@pytest.mark.parametrize("point", END_POINTS, ids=str)
def test_a_list_of_the_wrong_kind_is_refused(point: EndPoint) -> None:
    """An object, a null or a text where the list should be."""
    for wrong in ("{}", "null", '"none"'):
        payload = point.envelope("").replace("[]", wrong)
        assert isinstance(read(point, payload).answer(NOW, NOW), Partial), payload


@pytest.mark.parametrize("point", END_POINTS, ids=str)
def test_a_good_row_told_twice_is_one(point: EndPoint) -> None:
    """Pages overlap; the same words twice are one row, and the answer stays whole."""
    good = json.dumps(point.good)
    found = read(point, point.envelope(f"{good}, {good}"))
    answer = found.answer(NOW, NOW)
    assert isinstance(answer, Complete)
    assert len(answer.rows) == 1


def test_a_key_twice_in_the_envelope_is_refused() -> None:
    """Of two lists nobody knows which one counts."""
    for point in END_POINTS:
        payload = f'{{"result": "success", "cursor": "", "{point.name}": [], "{point.name}": []}}'
        assert isinstance(read(point, payload).answer(NOW, NOW), Partial)
