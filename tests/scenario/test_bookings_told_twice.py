"""The broker's real bookings, told in the evening by a Trade Confirmation and at night by Activity.

No recorded Confirmation holds a booking, so the evening's file is written from the recorded Activity rows:
the same rows under the Confirmation's names, without execution id and without transaction id.
"""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flex_documents import confirmations, row

from adapters.ibkr.flex import parse_flex
from adapters.memory.fill_store import MemoryFillStore
from trading.model.fills import Fill, FillBatch, FillKind

RECEIVED = datetime(2026, 12, 1, tzinfo=UTC)
NAMES = {"tradePrice": "price", "ibCommission": "commission", "notes": "code"}
LEFT_OUT = frozenset({"transactionID", "ibOrderID", "ibExecID", "fifoPnlRealized", "cost", "netCash"})
SESSIONS = [date(2025, 1, 2) + timedelta(days=place) for place in range(640)]


def batches(data: bytes) -> list[FillBatch]:
    return [told.batch for told in parse_flex(data, "test")]


def evening_of(activity: str) -> bytes:
    """The bookings of an Activity file as a Confirmation tells them."""
    rows = [dict(re.findall(r'(\w+)="([^"]*)"', text)) for text in re.findall(r"<Trade\b([^>]*)/>", activity)]
    bookings = [told for told in rows if told["transactionType"] == "BookTrade"]
    return confirmations(
        *(
            row(
                "TradeConfirm",
                {NAMES.get(name, name): text for name, text in told.items() if name not in LEFT_OUT},
            )
            for told in bookings
        )
    )


def standing(*told: list[FillBatch]) -> list[Fill]:
    store = MemoryFillStore()
    for batch in (batch for file in told for batch in file):
        assert batch.rejected == ()
        store.record(batch, RECEIVED)
    fills = [store.fills(venue, account, SESSIONS) for venue, account in store.accounts()]
    return [fill for listed in fills for fill in listed]


@pytest.mark.parametrize(("name", "bookings"), [("activity.xml", 5), ("annual-2025.xml", 9)])
def test_each_recorded_booking_is_one_fill_in_either_order(
    shared_data: Path, name: str, bookings: int
) -> None:
    """The evening's word alone counts as a fill; beside Activity's it adds nothing."""
    text = (shared_data / "ibkr-flex" / name).read_text()
    evening, night = batches(evening_of(text)), batches(text.encode())
    alone = standing(night)
    assert sum(fill.revision.kind is FillKind.BOOKING for fill in alone) == bookings
    assert len(standing(evening)) == bookings
    assert standing(evening, night) == standing(night, evening) == standing(evening, night, evening) == alone
