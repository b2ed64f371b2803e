"""The end of a market closes what was held at 1 or 0, once, and only as the venue paid it."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from venue_rows import with_bad_row

from adapters.kalshi.normalize import normalize
from trading.model.fills import FillBatch, FillKind, Side, Source
from trading.model.instruments import gross_pnl

ROW: dict[str, Any] = {
    "ticker": "KXBTC-26NOV2017-T90000",
    "event_ticker": "KXBTC-26NOV2017",
    "market_result": "yes",
    "yes_count_fp": "10.00",
    "no_count_fp": "0.00",
    "yes_total_cost_dollars": "5.600000",
    "revenue": 1000,
    "settled_time": "2026-11-20T22:00:00Z",
    "fee_cost": "0.172500",
}


def read(document: object) -> FillBatch:
    payload = document if isinstance(document, str) else json.dumps(document)
    return normalize(payload, account="main", source=Source.BACKFILL, origin="test")


@pytest.mark.parametrize(
    ("changes", "side", "quantity", "price"),
    [
        ({}, Side.SELL, 10, 1),
        ({"market_result": "no", "revenue": 0}, Side.SELL, 10, 0),
        ({"yes_count_fp": "0.00", "no_count_fp": "4.00", "revenue": 0}, Side.BUY, 4, 1),
        ({"yes_count_fp": None, "no_count_fp": "4", "market_result": "no", "revenue": 400}, Side.BUY, 4, 0),
        ({"yes_count_fp": None, "yes_count": 3, "revenue": 300}, Side.SELL, 3, 1),
        ({"no_count_fp": "2.00", "revenue": 1000}, Side.SELL, 8, 1),
        ({"no_count_fp": "2.00", "revenue": 800}, Side.SELL, 8, 1),
        ({"no_count_fp": "2.00", "revenue": "0", "market_result": "no"}, Side.SELL, 8, 0),
        ({"no_count_fp": "12.00", "revenue": 200, "market_result": "NO", "value": 0}, Side.BUY, 2, 0),
        ({"yes_count_fp": "0.50", "revenue": 50}, Side.SELL, Decimal("0.5"), 1),
        ({"market_result": "scalar", "value": 25, "revenue": 250}, Side.SELL, 10, Decimal("0.25")),
        ({"market_result": "Scalar", "value": "25", "revenue": "250"}, Side.SELL, 10, Decimal("0.25")),
        ({"revenue": None}, Side.SELL, 10, 1),
        ({"market_result": "void", "revenue": 560}, Side.SELL, 10, Decimal("0.56")),
        (
            {
                "market_result": "void",
                "revenue": 200,
                "yes_count_fp": "0.00",
                "no_count_fp": "3.00",
                "no_total_cost_dollars": "2.000000",
            },
            Side.BUY,
            3,
            Decimal("0.333333333333"),
        ),
    ],
)
def test_a_settlement_closes_the_net_position(
    changes: dict[str, Any], side: Side, quantity: Any, price: Any
) -> None:
    """YES held is sold, NO held is YES bought back, at what YES is worth in the end.

    Pairs of YES and NO pay a dollar: some rows tell it in the revenue, of others it was returned before.
    """
    batch = read({"settlements": [ROW | changes], "cursor": ""})
    (booking,) = batch.fills
    assert (booking.side, booking.quantity, booking.price) == (side, quantity, price)
    assert booking.kind is FillKind.BOOKING
    assert booking.fill_id == "settlement:KXBTC-26NOV2017-T90000"
    assert booking.fill_ts == datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
    assert batch.commissions == (), "the fees of the fills are not charged again"


def test_yes_bought_at_56_wins_44_cents_each() -> None:
    """Fill and settlement together are the whole story of the position."""
    (booking,) = read([ROW]).fills
    opened = Decimal("0.56")
    assert gross_pnl(booking.instrument, opened, booking.price, -booking.signed_quantity) == Decimal("4.4")


def test_nothing_held_is_nothing_booked() -> None:
    """A market that was left before its end has no booking, and is no bad row."""
    batch = read([ROW | {"yes_count_fp": "3.00", "no_count_fp": "3.00", "revenue": 300}])
    assert (batch.fills, batch.rejected) == ((), ())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"revenue": 900}, "revenue"),
        ({"revenue": 900, "no_count_fp": "2.00"}, "revenue"),
        ({"revenue": "1000.5x"}, "revenue"),
        ({"market_result": "void"}, "revenue"),
        ({"market_result": "void", "no_count_fp": "2.00"}, "market_result"),
        ({"market_result": "void", "yes_total_cost_dollars": "56"}, "yes_total_cost_dollars"),
        ({"market_result": "void", "yes_total_cost_dollars": None}, "yes_total_cost_dollars"),
        ({"market_result": ""}, "market_result"),
        ({"market_result": None}, "market_result"),
        ({"market_result": 1}, "market_result"),
        ({"market_result": "scalar"}, "market_result"),
        ({"market_result": "scalar", "value": 101, "revenue": None}, "value"),
        ({"yes_count_fp": "-1"}, "yes_count_fp"),
        ({"yes_count_fp": "NaN"}, "yes_count_fp"),
        ({"settled_time": None}, "settled_time"),
        ({"settled_time": 1795212000}, "settled_time"),
        ({"settled_time": "2026-11-20T22:00:00"}, "settled_time"),
        ({"ticker": ""}, "ticker"),
    ],
)
def test_a_malformed_settlement_is_refused_and_costs_no_other(changes: dict[str, Any], field: str) -> None:
    """What the venue paid must be what the contracts pay; of a void market with both sides nobody knows."""
    good = (json.dumps(ROW | {"ticker": "KXA-1"}), json.dumps(ROW | {"ticker": "KXA-2"}))
    document = with_bad_row(good, json.dumps(ROW | changes)).replace('"fills"', '"settlements"')
    batch = read(document)
    assert [fill.instrument.symbol for fill in batch.fills] == ["KXA-1", "KXA-2"]
    assert [refused.field for refused in batch.rejected] == [field]
