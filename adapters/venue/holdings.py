"""What a venue says an account holds and has in the market: rows read one by one, answers that know if they
are whole.

An answer is complete only where every page came and every row was understood: then, and only then, what is
not in it is not there. A row that cannot be read goes to the dead letter and makes the answer partial; a
thing told twice in different words does the same. Keep out: how a venue names and pages things.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Generic, Protocol, TypeVar

from adapters.venue.asking import VenueRefusedError, VenueUnavailableError
from adapters.venue.payload import (
    ROW_ERRORS,
    JsonObject,
    Refused,
    checked_row,
    dead_letter,
    decode,
    refused_document,
    sample_of,
)
from adapters.venue.readings import distinct
from trading.errors import InvalidFieldError
from trading.model.broker import Answer, Complete, Failed, Partial
from trading.model.fills import RejectedRow, Side, Source, Venue
from trading.model.instruments import Instrument
from trading.model.money import PRICE_PLACES, parse_decimal
from trading.ports.clock import Clock

AVERAGE_PLACES_MAX = 40  # of an average price as a venue prints it


class Told(Protocol):
    """A row that can be told twice: `key` says of what it is, equality whether it says the same."""

    @property
    def key(self) -> str: ...


Row = TypeVar("Row", bound=Told)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    """What an account holds of one contract; quantity signed, average_price per unit where it is told."""

    account: str
    instrument: Instrument
    quantity: Decimal
    average_price: Decimal | None
    raw: str = field(compare=False)

    @property
    def key(self) -> str:
        """The contract."""
        return self.instrument.instrument_id


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order that may still fill, in the house's terms; `status` and `order_type` are the venue's words."""

    account: str
    order_id: str
    order_ref: str
    instrument: Instrument
    side: Side
    order_type: str
    remaining: Decimal
    filled: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    status: str
    reduce_only: bool
    placed_at: datetime
    raw: str = field(compare=False)

    @property
    def key(self) -> str:
        """The venue's id."""
        return self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueAnswer(Generic[Row]):
    """An answer, what of it could not be read, and the pages as they came (to be kept as a file)."""

    answer: Answer[Row]
    rejected: tuple[RejectedRow, ...] = ()
    pages: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class Rows(Generic[Row]):
    """What is gathered from the pages of one answer; `gaps` are the reasons why it is not whole."""

    venue: Venue
    account: str
    found: dict[str, Row] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def read(
        self,
        payload: bytes | str,
        rows_of: Callable[[JsonObject], Sequence[object]],
        read_row: Callable[[JsonObject, str, str], Row | None],
    ) -> JsonObject | None:
        """Add the rows of one page and return it; None where it cannot be read at all."""
        document = decode(payload)
        if isinstance(document, Refused):
            self._refuse_page(document)
            return None
        is_read = self.read_page(document, payload, rows_of, read_row)
        return document if is_read and isinstance(document, JsonObject) else None

    def read_page(
        self,
        page: object,
        payload: bytes | str,
        rows_of: Callable[[JsonObject], Sequence[object]],
        read_row: Callable[[JsonObject, str, str], Row | None],
    ) -> bool:
        """Add the rows of a decoded page; `payload` is shown where the page itself is refused."""
        try:
            if not isinstance(page, JsonObject):
                raise InvalidFieldError("answer", "a JSON object", type(page).__name__)
            if page.repeated:
                raise InvalidFieldError(page.repeated[0], "a key once", page[page.repeated[0]])
            rows = rows_of(page)
        except ROW_ERRORS as error:
            self._refuse_page(Refused(str(error), sample_of(payload)))
            return False
        for row in rows:
            self._add(row, read_row)
        return True

    def _refuse_page(self, refused: Refused) -> None:
        self.refuse(refused_document(self.venue, Source.BACKFILL, self.account, refused))

    def refuse(self, row: RejectedRow) -> None:
        """Keep what could not be read; the answer is then not whole. No row here is a trade."""
        self.rejected.append(no_trade(row))
        self.gaps.append(f"refused: {row.reason}")

    def answer(self, asked_at: datetime, answered_at: datetime) -> Answer[Row]:
        """The answer as far as it came."""
        rows = tuple(self.found.values())
        if self.gaps:
            return Partial(rows=rows, reason=self.gaps[0], asked_at=asked_at, answered_at=answered_at)
        return Complete(rows=rows, asked_at=asked_at, answered_at=answered_at)

    def _add(self, row: object, read_row: Callable[[JsonObject, str, str], Row | None]) -> None:
        try:
            checked, text = checked_row(row)
            read = read_row(checked, text, self.account)
            if read is None:  # understood: a closed position, an order at its end
                return
            if self.found.setdefault(read.key, read) != read:
                raise InvalidFieldError("row", f"{read.key} told once", "told twice in different words")
        except ROW_ERRORS as error:
            self.refuse(dead_letter(self.venue, Source.BACKFILL, self.account, error, row))


def asked(rows: Rows[Row], clock: Clock, walk: Callable[[], Iterable[bytes]]) -> VenueAnswer[Row]:
    """Walk the pages of an answer; a venue that says no or goes away makes it failed, or partial where
    something was read before.
    """
    asked_at = clock.now()
    pages: list[bytes] = []
    try:
        pages.extend(walk())
    except (VenueRefusedError, VenueUnavailableError) as error:
        if not rows.found:
            failed = Failed(reason=str(error), asked_at=asked_at, answered_at=clock.now())
            return VenueAnswer(answer=failed, rejected=distinct(rows.rejected))
        rows.gaps.insert(0, str(error))
    return VenueAnswer(
        answer=rows.answer(asked_at, clock.now()), rejected=distinct(rows.rejected), pages=tuple(pages)
    )


def listed(page: JsonObject, name: str) -> Sequence[object]:
    """The list of that name; its absence is a fault, never an empty list."""
    rows = page.get(name)
    if not isinstance(rows, list):
        raise InvalidFieldError(name, "a list", rows)
    return rows


def not_negative(name: str, value: object) -> Decimal:
    """A number from zero."""
    number = parse_decimal(name, value)
    if number < 0:
        raise InvalidFieldError(name, "zero or a positive number", value)
    return number


def average_price(name: str, value: object) -> Decimal | None:
    """An average as the venue prints it, at the places of a price; it is shown, nothing is computed of it."""
    if value is None:
        return None
    exact = parse_decimal(name, value, places=AVERAGE_PLACES_MAX)
    return parse_decimal(name, exact.quantize(Decimal(1).scaleb(-PRICE_PLACES), rounding=ROUND_HALF_EVEN))


def no_trade(row: RejectedRow) -> RejectedRow:
    """The refused row as one that is not counted among trades."""
    return replace(row, is_trade_row=False)
