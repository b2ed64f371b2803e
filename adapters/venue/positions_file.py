"""An answer about positions, kept as a file, as the venue's statement of the evening before.

The statement's day is the last session that had ended when the venue was asked: what was traded since then is
taken off again when it is compared (trading/services/venue_word.py). It claims positions only where the
answer is whole: a refused row, a page that is missing or an answer without its moment refuses the file, since
half of the positions read as all of them would break everything that is not there. The average price of a
venue is not our FIFO basis and no mark, so neither is claimed. Keep out: how a venue words its answer.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from adapters.venue.holdings import Rows, VenuePosition
from adapters.venue.payload import JsonObject
from trading.calendar import session_on_or_before, trade_date_of
from trading.errors import InvalidFieldError
from trading.model.fills import FillBatch, Source, Venue
from trading.model.statements import (
    BrokerStatement,
    DetailLevel,
    StatementKind,
    StatementPosition,
    StatementRow,
)

QUERY_NAME = "positions"
POSITIONS_SECTION = "OpenPositions"
PAGES_MAX = 1_000  # of one file


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsFile:
    """What such a file says; `gaps` of the rows are the reasons why it must not be believed."""

    rows: Rows[VenuePosition]
    asked_at: datetime | None
    base_currency: str | None
    other_rows: tuple[StatementRow, ...] = ()

    @property
    def batch(self) -> FillBatch:
        """Its refused rows; it tells no fill."""
        return FillBatch(
            venue=self.rows.venue,
            source=Source.BACKFILL,
            origin=QUERY_NAME,
            rejected=tuple(self.rows.rejected),
        )

    @property
    def refusal(self) -> str:
        """Why the file is no statement; empty where it is one."""
        if self.rows.gaps:
            return self.rows.gaps[0]
        return "" if self.asked_at else "the moment of the answer is not told"


def statements_of(told: PositionsFile, content: bytes, origin: str) -> tuple[BrokerStatement, ...]:
    """One statement for the account, and one for each numbered subaccount that it names."""
    if told.refusal or told.asked_at is None:
        return ()
    day = evening_of(told.rows.venue, told.asked_at)
    held: dict[str, list[VenuePosition]] = {told.rows.account: []}
    for row in told.rows.found.values():
        held.setdefault(row.account, []).append(row)
    return tuple(
        BrokerStatement(
            venue=told.rows.venue,
            account=account,
            kind=StatementKind.ACTIVITY,
            query_name=QUERY_NAME,
            from_date=day,
            to_date=day,
            generated_at=told.asked_at,
            base_currency=told.base_currency,
            sha256=sha256(content).hexdigest(),
            batch=FillBatch(venue=told.rows.venue, source=Source.BACKFILL, origin=origin),
            positions=tuple(_position(row, day) for row in rows),
            other_rows=told.other_rows if account == told.rows.account else (),
            sections=(POSITIONS_SECTION,),
        )
        for account, rows in held.items()
    )


def evening_of(venue: Venue, asked_at: datetime) -> date:
    """The last session that had ended; on a Sunday that is Friday's, for the weekend belongs to Monday."""
    return session_on_or_before(trade_date_of(venue, asked_at) - timedelta(days=1))


def kept_row(tag: str, raw: str) -> StatementRow:
    """A row that is kept as it came and not compared."""
    return StatementRow(section=QUERY_NAME, tag=tag, raw=raw)


def pages_of(document: object) -> list[JsonObject]:
    """An answer, or the pages of one; raises InvalidFieldError for anything else."""
    told = document if isinstance(document, list) else [document]
    if len(told) > PAGES_MAX:
        raise InvalidFieldError("file", f"at most {PAGES_MAX} pages", len(told))
    pages = [page for page in told if isinstance(page, JsonObject)]
    if len(pages) != len(told):
        raise InvalidFieldError("file", "an answer or a list of its pages", "something else among them")
    return pages


def _position(row: VenuePosition, day: date) -> StatementPosition:
    return StatementPosition(
        account=row.account,
        report_date=day,
        instrument=row.instrument,
        conid=None,
        level=DetailLevel.SUMMARY,
        quantity=row.quantity,
        multiplier=row.instrument.contract_size,
        currency=row.instrument.currency,
        mark_price=None,
        cost_basis=None,
        raw=row.raw,
    )
