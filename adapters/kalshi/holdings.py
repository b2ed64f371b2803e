"""Kalshi over REST: positions by market and by event, and resting orders, by cursor.

YES and NO are one market, kept as YES: holding NO is being short YES, which is the venue's own sign
(``position`` below zero). An order to buy NO at p is an order to sell YES at 1 - p. Pages are no snapshot:
a market told on two pages with two figures makes the answer partial. Rows by event are the venue's sums over
their markets, in dollars; they carry no contract count, so they are read (and refused) and kept, and only the
markets are compared.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.kalshi.client import API_PREFIX, KalshiFills, next_cursor
from adapters.kalshi.normalize import read_account, read_market, read_side, read_time, read_yes_price
from adapters.venue.holdings import Rows, VenueAnswer, VenueOrder, VenuePosition, asked, listed, not_negative
from adapters.venue.payload import JsonObject, first_present, text_field
from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.model.money import parse_decimal

POSITIONS_PATH = f"{API_PREFIX}/portfolio/positions"
ORDERS_PATH = f"{API_PREFIX}/portfolio/orders"
PAGE_ROWS = 200  # of the venue's maximum 1,000
PAGES_MAX = 500  # of one answer: 100,000 rows
RESTING = "resting"
FINAL_STATUSES = frozenset({"canceled", "cancelled", "executed"})
EVENT_FIGURES = ("total_cost", "event_exposure", "realized_pnl", "fees_paid")
CENTS = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPosition:
    """The venue's sums over the markets of one event, in dollars; None where it does not tell one."""

    account: str
    event_ticker: str
    figures: Mapping[str, Decimal | None]
    raw: str = field(compare=False)

    @property
    def key(self) -> str:
        """The event."""
        return self.event_ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class KalshiPositions:
    """The markets, and the events beside them; a bad row of either makes both partial."""

    markets: VenueAnswer[VenuePosition]
    events: tuple[EventPosition, ...]


@dataclass(slots=True)
class KalshiHoldings:
    """Reads what the account of `client` holds and has in the market; no answer is a Failed one."""

    client: KalshiFills

    def positions(self) -> KalshiPositions:
        """Positions by market and by event."""
        rows: Rows[VenuePosition] = Rows(Venue.KALSHI, self.client.account)
        events: Rows[EventPosition] = Rows(Venue.KALSHI, self.client.account)

        def read(body: bytes) -> bool:
            is_read = rows.read(body, market_rows, read_position) is not None
            if is_read:
                events.read(body, event_rows, read_event)
            for row in events.rejected:
                rows.refuse(row)
            events.rejected.clear()
            return is_read

        answer = asked(rows, self.client.clock, lambda: self._walk(POSITIONS_PATH, {}, read, rows.gaps))
        return KalshiPositions(markets=answer, events=tuple(events.found.values()))

    def open_orders(self) -> VenueAnswer[VenueOrder]:
        """The orders that rest in the market."""
        rows: Rows[VenueOrder] = Rows(Venue.KALSHI, self.client.account)

        def read(body: bytes) -> bool:
            return rows.read(body, order_rows, read_order) is not None

        params = {"status": RESTING}
        return asked(rows, self.client.clock, lambda: self._walk(ORDERS_PATH, params, read, rows.gaps))

    def _walk(
        self, path: str, params: Mapping[str, str], read: Callable[[bytes], bool], gaps: list[str]
    ) -> Iterator[bytes]:
        cursor, seen = "", {""}
        for _ in range(PAGES_MAX):
            page = {**params, "limit": str(PAGE_ROWS), **({"cursor": cursor} if cursor else {})}
            body = self.client.get(path, page)
            yield body
            if not read(body):
                return
            cursor = next_cursor(body)
            if not cursor:
                return
            if cursor in seen:
                gaps.append("the cursor repeats itself: not all was told")
                return
            seen.add(cursor)
        gaps.append(f"more than {PAGES_MAX} pages: not all was read")


def market_rows(answer: JsonObject) -> Sequence[object]:
    """The rows by market; refuses an error, and what says nothing about positions."""
    return _rows(answer, "market_positions")


def event_rows(answer: JsonObject) -> Sequence[object]:
    """The rows by event; an answer without that list tells none."""
    told = answer if "event_positions" in answer else JsonObject(answer, event_positions=[])
    return _rows(told, "event_positions")


def order_rows(answer: JsonObject) -> Sequence[object]:
    """The rows of an answer about orders."""
    return _rows(answer, "orders")


def read_position(row: JsonObject, raw: str, account: str) -> VenuePosition | None:
    """Read one market; None where nothing is held any more. Raises InvalidFieldError naming the field."""
    instrument = read_market(row)
    name, value = first_present(row, "position_fp", "position")
    quantity = parse_decimal(name, value)
    if quantity == 0:
        return None
    return VenuePosition(
        account=read_account(row, account),
        instrument=instrument,
        quantity=quantity,
        average_price=None,
        raw=raw,
    )


def read_event(row: JsonObject, raw: str, account: str) -> EventPosition:
    """Read one event; raises InvalidFieldError naming the field."""
    ticker = text_field(row, "event_ticker")
    if not ticker:
        raise InvalidFieldError("event_ticker", "an event", row.get("event_ticker"))
    figures = {name: _dollars(row, name) for name in EVENT_FIGURES}
    return EventPosition(account=read_account(row, account), event_ticker=ticker, figures=figures, raw=raw)


def read_order(row: JsonObject, raw: str, account: str) -> VenueOrder | None:
    """Read one order; None where it has come to its end. Raises InvalidFieldError naming the field."""
    status = text_field(row, "status").lower()
    if status in FINAL_STATUSES:
        return None
    if status != RESTING:
        raise InvalidFieldError("status", RESTING, row.get("status"))
    order_id = text_field(row, "order_id")
    if not order_id:
        raise InvalidFieldError("order_id", "an id", row.get("order_id"))
    name, left = first_present(row, "remaining_count_fp", "remaining_count")
    remaining = not_negative(name, left)
    if remaining == 0:
        raise InvalidFieldError(name, "a positive number", left)
    name, done = first_present(row, "fill_count_fp", "fill_count")
    return VenueOrder(
        account=read_account(row, account),
        order_id=order_id,
        order_ref=text_field(row, "client_order_id"),
        instrument=read_market(row),
        side=read_side(row),
        order_type=text_field(row, "type") or "limit",
        remaining=remaining,
        filled=not_negative(name, 0 if done is None else done),
        limit_price=read_yes_price(row),
        stop_price=None,
        status=status,
        reduce_only=False,
        placed_at=read_time(row),
        raw=raw,
    )


def _rows(answer: JsonObject, name: str) -> Sequence[object]:
    if answer.get("error") is not None:
        raise InvalidFieldError("error", "an answer without error", answer["error"])
    return listed(answer, name)


def _dollars(row: JsonObject, name: str) -> Decimal | None:
    """In dollars as text, else in the older whole cents."""
    dollars = row.get(f"{name}_dollars")
    if dollars is not None:
        return parse_decimal(f"{name}_dollars", dollars)
    cents = row.get(name)
    return None if cents is None else parse_decimal(name, cents, places=0) / CENTS
