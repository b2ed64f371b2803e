"""One session forward: yesterday's book and today's facts in, today's book and rows out. Pure and exact.

What goes wrong without this shape: a P&L that is recomputed from whatever the table holds at the moment
cannot be compared with yesterday's. Here a session is a function of the book before it and its own facts; the
same inputs give the same rows, and a rebuild is nothing but the same function called again.

The broker's rule: realized = FIFO net of opening and closing commissions, the opening fee sits in the lot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, localcontext

from trading.errors import InvalidFieldError
from trading.model.fills import Fill
from trading.model.instruments import CurrencyPair, Option
from trading.model.money import EXACT, ZERO
from trading.model.statements import CashFlow, CorporateAction
from trading.pnl.book import Book, Lot, LotMatch, MatchKind, PendingPremium, SessionResult, instrument_id_of
from trading.pnl.bulk_session import match_plain_instruments
from trading.pnl.cash import CashBook
from trading.pnl.corporate_actions import apply_actions
from trading.pnl.daily import daily_rows
from trading.pnl.ledger import Ledger
from trading.pnl.lifecycle import (
    DELIVERY_LAG_DAYS_MAX,
    expected_shares,
    find_pending,
    in_book_order,
    is_delivery_leg,
    is_option_leg,
    kind_of,
    tie_deliveries,
)
from trading.settings import LotMethod

BULK_FILLS_FROM = 20_000  # below it compiling the loop costs more than it saves


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInputs:
    """The facts of one session. marks by instrument id; rates to base by currency; opening balances by
    currency.
    """

    session: date
    fills: Sequence[Fill] = ()
    cash_flows: Sequence[CashFlow] = ()
    corporate_actions: Sequence[CorporateAction] = ()
    opening_lots: Sequence[Lot] = ()
    opening_cash: Mapping[str, Decimal] = field(default_factory=dict)
    marks: Mapping[str, Decimal] = field(default_factory=dict)
    rates_to_base: Mapping[str, Decimal] = field(default_factory=dict)


def advance(
    book: Book,
    inputs: SessionInputs,
    method: LotMethod = LotMethod.FIFO,
    bulk_from: int = BULK_FILLS_FROM,
) -> tuple[Book, SessionResult]:
    """Take the book one session forward. Refuses a session that is not after the book's.

    From `bulk_from` fills on, instruments that only traded are matched over columns; the rows are the same.
    """
    if book.session is not None and inputs.session <= book.session:
        raise InvalidFieldError("session", f"a session after {book.session}", inputs.session)
    with localcontext(EXACT):  # the default context rounds at 28 digits, the warehouse holds 38
        ledger = Ledger(book.lots, method, inputs.session)
        cash = CashBook(book.cash)
        cash.open_with(inputs.opening_cash)
        for lot in inputs.opening_lots:
            ledger.add(lot)
        apply_actions(ledger, inputs.corporate_actions)
        pending = _apply_fills(ledger, cash, inputs, book.pending, _is_bulk(inputs, method, bulk_from))
        _post_flows(cash, inputs)
        return _closed(book, ledger, cash, pending, inputs)


def _apply_fills(
    ledger: Ledger,
    cash: CashBook,
    inputs: SessionInputs,
    waiting: Sequence[PendingPremium],
    is_bulk: bool,
) -> tuple[PendingPremium, ...]:
    ties = tie_deliveries(inputs.fills)
    tied_legs = set(ties.values())
    moved: dict[str, Decimal] = {}
    pending = [item for item in waiting if (inputs.session - item.session).days <= DELIVERY_LAG_DAYS_MAX]
    ordered = in_book_order(inputs.fills, ties)
    held = _Held(ledger)
    planned = match_plain_instruments(ledger, ordered, inputs.session) if is_bulk else {}
    for fill in ordered:
        revision = fill.revision
        delivers = _delivers(fill, tied_legs)
        premium = _premium_for(fill, ties, moved, pending)
        if revision.fill_id in planned:
            matches: Sequence[LotMatch] = planned[revision.fill_id]
            handed_on = ZERO
            ledger.matches.extend(matches)
        else:
            matches, handed_on = _apply_one(ledger, fill, kind_of(fill, delivers), premium)
        cash.post_fill(fill, matches, held.short_change(fill))
        if delivers and revision.fill_id in tied_legs:
            moved[revision.fill_id] = handed_on
        elif delivers:
            pending.append(_waiting(fill, handed_on))
    return tuple(pending)


def _apply_one(
    ledger: Ledger, fill: Fill, kind: MatchKind, premium: Decimal
) -> tuple[Sequence[LotMatch], Decimal]:
    if isinstance(fill.revision.instrument, CurrencyPair):
        return (), ZERO  # a conversion holds cash, not a position
    known = len(ledger.matches)
    handed_on = ledger.apply(fill, kind, premium)
    return ledger.matches[known:], handed_on


class _Held:
    """Running positions of the instruments whose cash depends on them: event contracts."""

    def __init__(self, ledger: Ledger) -> None:
        self._positions = {lot.contract.instrument_id: ZERO for lot in ledger.lots()}
        for lot in ledger.lots():
            self._positions[lot.contract.instrument_id] += lot.signed_quantity

    def short_change(self, fill: Fill) -> Decimal:
        """By how much the fill makes its instrument's short position grow."""
        key = instrument_id_of(fill)
        before = self._positions.get(key, ZERO)
        after = self._positions[key] = before + fill.revision.signed_quantity
        return max(-after, ZERO) - max(-before, ZERO)


def _is_bulk(inputs: SessionInputs, method: LotMethod, bulk_from: int) -> bool:
    return method is LotMethod.FIFO and len(inputs.fills) >= bulk_from


def _delivers(fill: Fill, tied_legs: set[str]) -> bool:
    """An option leg delivers when its shares are here, or is booked at 0 while they are still to come."""
    return is_option_leg(fill) and (fill.revision.fill_id in tied_legs or fill.revision.price == 0)


def _premium_for(
    fill: Fill, ties: Mapping[str, str], moved: Mapping[str, Decimal], pending: list[PendingPremium]
) -> Decimal:
    if not is_delivery_leg(fill):
        return ZERO
    leg = ties.get(fill.revision.fill_id)
    if leg is not None:
        return moved.get(leg, ZERO)
    awaited = find_pending(fill, pending)
    if awaited is None:
        return ZERO
    pending.remove(awaited)
    return awaited.premium


def _waiting(option_leg: Fill, premium: Decimal) -> PendingPremium:
    revision = option_leg.revision
    option = revision.instrument
    assert isinstance(option, Option)
    return PendingPremium(
        fill_id=revision.fill_id,
        action_id=revision.action_id,
        underlying=option.underlying,
        strike=option.strike,
        shares=expected_shares(option_leg),
        premium=premium,
        session=revision.session,
    )


def _post_flows(cash: CashBook, inputs: SessionInputs) -> None:
    for place, action in enumerate(inputs.corporate_actions):
        cash.post_corporate_action(action, place)
    for place, flow in enumerate(inputs.cash_flows):
        cash.post_flow(flow, place)


def _closed(
    book: Book, ledger: Ledger, cash: CashBook, pending: tuple[PendingPremium, ...], inputs: SessionInputs
) -> tuple[Book, SessionResult]:
    lots = ledger.lots()
    daily = daily_rows(inputs.session, inputs.fills, ledger.matches, lots, inputs.marks, inputs.rates_to_base)
    after = replace(book, session=inputs.session, lots=lots, cash=cash.balances, pending=pending)
    result = SessionResult(
        session=inputs.session,
        lots=lots,
        matches=tuple(ledger.matches),
        daily=daily,
        cash=tuple(cash.entries),
    )
    return after, result
