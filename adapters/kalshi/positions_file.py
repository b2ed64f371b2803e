"""Kalshi's answer about positions, kept as a file: one page or a list of them, the last without a cursor.

The venue says no moment in it, so whoever keeps the answer adds ``asked_at`` to its first page: when it was
asked for. A file without it is refused, for nobody knows of which evening it speaks. The last figures' own
``last_updated_ts`` would be a guess: nothing may have happened since.
"""

from datetime import datetime

from adapters.kalshi.holdings import EventPosition, event_rows, market_rows, read_event, read_position
from adapters.venue.holdings import Rows, VenuePosition
from adapters.venue.payload import JsonObject, canonical_text
from adapters.venue.positions_file import PositionsFile, kept_row
from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.model.statements import StatementRow
from trading.model.times import from_iso

BASE_CURRENCY = "USD"
ASKED_AT = "asked_at"


def read_positions_file(pages: list[JsonObject], account: str) -> PositionsFile:
    """Read the pages; a page that is missing is a gap. Raises InvalidFieldError for a moment not told."""
    rows: Rows[VenuePosition] = Rows(Venue.KALSHI, account)
    events: Rows[EventPosition] = Rows(Venue.KALSHI, account)
    for number, page in enumerate(pages, start=1):
        text = canonical_text(page)
        rows.read_page(page, text, market_rows, read_position)
        events.read_page(page, text, event_rows, read_event)
        if bool(page.get("cursor")) is (number == len(pages)):
            rows.gaps.append(f"page {number} of {len(pages)}: another page belongs after its cursor")
    for refused in events.rejected:
        rows.refuse(refused)
    return PositionsFile(
        rows=rows,
        asked_at=_moment(pages[0]) if pages else None,
        base_currency=BASE_CURRENCY,
        other_rows=tuple(_kept(event) for event in events.found.values()),
    )


def _kept(event: EventPosition) -> StatementRow:
    return kept_row("event_position", event.raw)


def _moment(page: JsonObject) -> datetime:
    told = page.get(ASKED_AT)
    if not isinstance(told, str):
        raise InvalidFieldError(ASKED_AT, "when the venue was asked, an ISO 8601 time with a zone", told)
    return from_iso(ASKED_AT, told.strip())
