"""A file is read by the venue that wrote it, told by its content."""

from pathlib import Path

import pytest

from adapters.inbox.reader import VenueFileReader
from trading.errors import PermanentError
from trading.model.fills import Venue
from trading.ports.inbox import FileRefusedError

KALSHI = b"""
{"fills": [{"trade_id": "t-1", "ticker": "KXFED-26", "order_id": "o-1",
 "side": "yes", "action": "buy",
 "count": 3, "yes_price": 40, "no_price": 60,
 "is_taker": true, "created_time": "2026-03-02T15:00:00Z"}], "cursor": ""}"""


@pytest.mark.parametrize(
    ("name", "venue", "fills"),
    [
        ("ibkr-flex/today.xml", Venue.IBKR, 7),
        ("kraken-futures/http_futures_fills.json", Venue.KRAKEN, 3),
        ("kraken-futures/ws_futures_fills_snapshot.json", Venue.KRAKEN, 2),
    ],
)
def test_recorded_files_are_told_apart(shared_data: Path, name: str, venue: Venue, fills: int) -> None:
    """The file's own name plays no part."""
    found = VenueFileReader().read((shared_data / name).read_bytes(), "renamed.dat")
    assert {batch.venue for batch in found.batches} == {venue}
    assert sum(len(batch.fills) for batch in found.batches) == fills


def test_a_folder_names_the_account_of_a_venue_that_names_none() -> None:
    """Kalshi's fills carry no account."""
    (batch,) = VenueFileReader().read(KALSHI, "second/fills.json").batches
    assert {fill.account for fill in batch.fills} == {"second"}
    (batch,) = VenueFileReader().read(KALSHI, "fills.json").batches
    assert {fill.account for fill in batch.fills} == {"main"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"hello",
        b"%PDF-1.7",
        b"{}",
        b"[]",
        b'{"a": 1}',
        b"<html><body/></html>",
        b"<x",
        b"\x00" * 50,
    ],
)
def test_what_no_venue_wrote_is_refused_with_a_reason(content: bytes) -> None:
    """A refusal is a PermanentError, never another exception."""
    with pytest.raises(PermanentError) as refusal:
        VenueFileReader().read(content, "x.dat")
    assert str(refusal.value)


def test_a_venues_file_without_a_readable_fill_is_refused() -> None:
    """A file of which nothing can be used is not landed as if it were empty."""
    broken = KALSHI.replace(b'"2026-03-02T15:00:00Z"', b'"never"')
    with pytest.raises(FileRefusedError, match="kalshi"):
        VenueFileReader().read(broken, "fills.json")
