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
    """A file of which nothing can be used is not landed as if it were empty, and its rows are not lost."""
    broken = KALSHI.replace(b'"2026-03-02T15:00:00Z"', b'"never"')
    with pytest.raises(FileRefusedError, match="kalshi") as refusal:
        VenueFileReader().read(broken, "fills.json")
    (batch,) = refusal.value.batches
    assert [row.field for row in batch.rejected] == ["created_time"]


@pytest.mark.parametrize("content", [b"<FlexQueryResponse>", b"\x1f\x8b\x08 no text", b'{"a": 1}'])
def test_a_refused_file_of_the_broker_has_a_row_for_the_dead_letter(content: bytes) -> None:
    """Whoever takes the file, by hand or from the inbox, its refusal is found in one place."""
    with pytest.raises(FileRefusedError) as refusal:
        VenueFileReader().read(content, "x.dat")
    assert [len(batch.rejected) for batch in refusal.value.batches] == [1]


def test_a_broken_first_row_does_not_hide_the_venue() -> None:
    """The good fill behind it lands, the broken one is refused by itself."""
    content = KALSHI.replace(b'"fills": [', b'"fills": [{"what": 1}, null, ')
    (batch,) = VenueFileReader().read(content, "fills.json").batches
    assert (batch.venue, len(batch.fills), len(batch.rejected)) == (Venue.KALSHI, 1, 2)


def test_settlements_of_kalshi_are_a_file_of_its_own() -> None:
    """They close what fills opened, so they land; a page without fills lands as what it is."""
    settled = b"""{"settlements": [{"ticker": "KXFED-26", "market_result": "yes", "yes_count": 3,
     "no_count": 0, "revenue": 300, "settled_time": "2026-03-02T15:00:00Z"}], "cursor": ""}"""
    (batch,) = VenueFileReader().read(settled, "settlements.json").batches
    assert (batch.venue, len(batch.fills)) == (Venue.KALSHI, 1)
    (empty,) = VenueFileReader().read(b'{"fills": [], "cursor": ""}', "fills.json").batches
    assert (empty.venue, empty.fills, empty.rejected) == (Venue.KALSHI, (), ())
