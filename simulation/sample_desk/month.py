"""The month as it was: trades, their effects in the broker's books, cash events, and every evening's state.

This is the truth that the journal writes down and that every source tells in its own way.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from random import Random

from simulation.sample_desk.books import Book, Effect, Lot
from simulation.sample_desk.cash_events import draw_cash_events
from simulation.sample_desk.choices import Choices
from simulation.sample_desk.contracts import Contract, ContractMaster
from simulation.sample_desk.market import Market, draw_market
from simulation.sample_desk.numbering import Ids
from simulation.sample_desk.trades import CashEvent, Trade, TradeKind
from simulation.sample_desk.trading_month import AccountMonth
from trading.calendar import TradingCalendar

STARTING_CASH = {
    "USD": (("USD", "1250000"), ("EUR", "1200.55")),
    "EUR": (("EUR", "380000"), ("USD", "690000.25")),
}
ACCOUNTS_MOST = 9
SESSIONS_MOST = 260


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account; `dashed_times` is the date format chosen in its statement query."""

    name: str
    base_currency: str
    dashed_times: bool
    live_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """One account at the end of one session, with what the session brought; lots are copies."""

    account: Account
    session: date
    effects: tuple[Effect, ...]
    events: tuple[CashEvent, ...]
    lots: tuple[Lot, ...]
    starting_cash: dict[str, Decimal]
    ending_cash: dict[str, Decimal]

    @property
    def trades(self) -> tuple[Trade, ...]:
        """The session's trades in first-in first-out order."""
        return tuple(effect.trade for effect in self.effects)

    @property
    def contracts(self) -> dict[int, Contract]:
        """All that was traded or is held, by contract id."""
        held = [lot.trade.contract for lot in self.lots] + [trade.contract for trade in self.trades]
        return {contract.conid: contract for contract in sorted(held, key=lambda item: item.conid)}

    def position(self, conid: int) -> Decimal:
        """Open quantity at the end, signed."""
        return sum((lot.quantity for lot in self.lots if lot.trade.contract.conid == conid), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """All accounts, all sessions."""

    seed: int
    accounts: tuple[Account, ...]
    sessions: tuple[date, ...]
    market: Market
    evenings: tuple[Evening, ...]


def draw_month(
    seed: int, first_session: date, sessions: int, accounts: int, calendar: TradingCalendar
) -> Month:
    """Trade the month from a seed; the same arguments give the same month, id by id."""
    if not 1 <= accounts <= ACCOUNTS_MOST:
        raise ValueError(f"accounts: expected 1 to {ACCOUNTS_MOST}, was {accounts}")
    if not 1 <= sessions <= SESSIONS_MOST:
        raise ValueError(f"sessions: expected 1 to {SESSIONS_MOST}, was {sessions}")
    rng = Random(seed)
    days = _sessions(calendar, first_session, sessions)
    market, ids = draw_market(rng, days), Ids(rng)
    choices = Choices(rng=rng, market=market, master=ContractMaster(), calendar=calendar)
    desks = [_account(index) for index in range(accounts)]
    months = [
        AccountMonth(
            account=desk.name, base_currency=desk.base_currency, choices=choices, ids=ids, sessions=days
        )
        for desk in desks
    ]
    books = [_opened_book(desk) for desk in desks]
    evenings = [
        _one_session(desk, month, book, session)
        for session in days
        for desk, month, book in zip(desks, months, books, strict=True)
    ]
    return Month(
        seed=seed,
        accounts=tuple(desks),
        sessions=days,
        market=market,
        evenings=tuple(evenings),
    )


def book_session(
    book: Book, trades: Iterable[Trade], multipliers: dict[int, int] | None = None
) -> tuple[Effect, ...]:
    """Book trades in order; the option leg of a delivery hands its premium to the share leg of its action.

    `multipliers` overrides a trade's contract size by trade id: what a source told wrongly.
    """
    premiums: dict[int, Decimal] = {}
    effects = []
    for trade in trades:
        size = (multipliers or {}).get(trade.trade_id)
        premium = Decimal(0) if trade.kind.moves_premium else premiums.pop(trade.action_id, Decimal(0))
        effect = book.apply(trade, premium, size)
        if trade.kind.moves_premium:
            premiums[trade.action_id] = effect.moved_premium
        effects.append(effect)
    return tuple(effects)


def _one_session(desk: Account, month: AccountMonth, book: Book, session: date) -> Evening:
    before = dict(book.cash)
    events = draw_cash_events(month.choices.rng, month.ids, desk.name, session, month.sessions, book)
    effects = book_session(book, month.trade(session))
    for event in events:
        book.move_cash(event)
    return Evening(
        account=desk,
        session=session,
        effects=effects,
        events=events,
        lots=tuple(replace(lot) for lots in book.lots.values() for lot in lots),
        starting_cash=before,
        ending_cash=dict(book.cash),
    )


def _sessions(calendar: TradingCalendar, first: date, count: int) -> tuple[date, ...]:
    days = [calendar.session_on_or_after(first)]
    while len(days) < count:
        days.append(calendar.next_session(days[-1]))
    return tuple(days)


def _account(index: int) -> Account:
    """Every third account is kept in euro; the accounts differ in the time formats that their owner chose."""
    return Account(
        name=f"U77{index + 1:05d}",
        base_currency="EUR" if index % 3 == 2 else "USD",
        dashed_times=index % 3 == 2,
        live_zone=("US/Eastern", "", "America/New_York")[index % 3],
    )


def _opened_book(desk: Account) -> Book:
    book = Book(account=desk.name)
    for currency, amount in STARTING_CASH[desk.base_currency]:
        book.cash[currency] = Decimal(amount)
    return book


def is_executed(trade: Trade) -> bool:
    """True for what an exchange (or the currency desk) executed, false for the broker's bookings."""
    return trade.kind in (TradeKind.EXECUTION, TradeKind.CONVERSION)
