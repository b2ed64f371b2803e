"""Kraken's answer about open positions, kept as a file: its moment is ``serverTime``, the venue's clock."""

from datetime import datetime

from adapters.kraken.holdings import position_rows, read_position
from adapters.venue.holdings import Rows, VenuePosition
from adapters.venue.payload import JsonObject, canonical_text
from adapters.venue.positions_file import PositionsFile
from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.model.times import from_iso


def read_positions_file(pages: list[JsonObject], account: str) -> PositionsFile:
    """Read the answer; this venue has no pages, so two answers in one file are refused. It names no base
    currency: sizes in one stay unknown.
    """
    rows: Rows[VenuePosition] = Rows(Venue.KRAKEN, account)
    if len(pages) != 1:
        rows.gaps.append(f"expected one answer, were {len(pages)}")
    for page in pages:
        rows.read_page(page, canonical_text(page), position_rows, read_position)
    return PositionsFile(rows=rows, asked_at=_moment(pages[0]) if pages else None, base_currency=None)


def _moment(page: JsonObject) -> datetime:
    told = page.get("serverTime")
    if not isinstance(told, str):
        raise InvalidFieldError("serverTime", "an ISO 8601 time with a zone", told)
    return from_iso("serverTime", told.strip())
