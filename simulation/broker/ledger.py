"""One account's books at the broker: the session's trades, their effects, lots, cash, evenings.

A trade is booked the moment it happens. A correction or a bust changes a trade that others were matched
against, so the session is then booked again from its morning, in first-in first-out order: the same as the
statement does over night. Keep out: prices, orders, margin.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from simulation.sample_desk.books import Book, Effect, Lot
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.month import Account, Evening, book_session
from simulation.sample_desk.trades import Trade

ZERO = Decimal(0)
COST_PLACES = Decimal("0.0000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """An account as the world finds it: its statement style, its cash, and lots from earlier sessions."""

    account: Account
    cash: Mapping[str, Decimal]
    lots: Sequence[Lot] = ()


@dataclass(slots=True)
class Ledger:
    """Books of one account; `morning` is where the session began."""

    account: Account
    morning: Book
    book: Book
    session: date
    trades: dict[str, Trade] = field(default_factory=dict)
    effects: dict[str, Effect] = field(default_factory=dict)
    evenings: dict[date, Evening] = field(default_factory=dict)

    def add(self, trade: Trade) -> Effect:
        """Book a trade as the newest of the session; bookings tied by an action go through `add_endings`."""
        self.trades[trade.fill_id] = trade
        effect = self.book.apply(trade)
        self.effects[trade.fill_id] = effect
        return effect

    def add_endings(self, trades: Sequence[Trade]) -> None:
        """Book what the broker books by itself: expiries, exercises, assignments."""
        for trade in trades:
            self.trades[trade.fill_id] = trade
        self.rebook()

    def change(self, trade: Trade) -> Effect:
        """Put a corrected or busted trade in the place of what it was, and book the session again."""
        self.trades[trade.fill_id] = trade
        self.rebook()
        return self.effects[trade.fill_id]

    def rebook(self) -> None:
        """Book the whole session from its morning."""
        self.book = copied(self.morning)
        ordered = sorted(self.trades.values(), key=lambda trade: trade.place)
        effects = book_session(self.book, ordered)
        self.effects = {effect.trade.fill_id: effect for effect in effects}

    def evening(self) -> Evening:
        """The session as it stands, in the shape that the statement writer takes."""
        ordered = sorted(self.effects.values(), key=lambda effect: effect.trade.place)
        return Evening(
            account=self.account,
            session=self.session,
            effects=tuple(ordered),
            events=(),
            lots=tuple(replace(lot) for lots in self.book.lots.values() for lot in lots),
            starting_cash=dict(self.morning.cash),
            ending_cash=dict(self.book.cash),
        )

    def turn(self, session: date) -> None:
        """Close the session for good and begin the next one."""
        self.rebook()
        self.evenings[self.session] = self.evening()
        self.morning, self.session = copied(self.book), session
        self.trades, self.effects = {}, {}

    def holdings(self) -> list[tuple[Contract, Decimal, Decimal]]:
        """Contract, signed quantity and opening cash of all that is held, by contract id."""
        found = []
        for conid in sorted(self.book.lots):
            lots = self.book.lots[conid]
            quantity = sum((lot.quantity for lot in lots), ZERO)
            if quantity:
                contract = lots[0].trade.contract
                found.append((contract, quantity, sum((lot.cash for lot in lots), ZERO)))
        return found

    def position(self, conid: int) -> Decimal:
        """Signed quantity of one contract."""
        return self.book.position(conid)

    def realized(self, conid: int | None = None) -> Decimal:
        """Profit of the session's closings, of one contract or of all."""
        told = (
            effect.realized
            for effect in self.effects.values()
            if conid is None or effect.trade.contract.conid == conid
        )
        return sum(told, ZERO)


def opened_ledger(spec: AccountSpec, session: date) -> Ledger:
    """The books of an account on its first simulated session."""
    book = Book(account=spec.account.name)
    for currency, amount in spec.cash.items():
        book.cash[currency] = amount
    for lot in spec.lots:
        book.lots[lot.trade.contract.conid].append(replace(lot))
        book.contracts[lot.trade.contract.conid] = lot.trade.contract
    return Ledger(account=spec.account, morning=copied(book), book=book, session=session)


def copied(book: Book) -> Book:
    """Books that can be changed without changing these."""
    lots: defaultdict[int, deque[Lot]] = defaultdict(deque)
    for conid, own in book.lots.items():
        if own:
            lots[conid] = deque(replace(lot) for lot in own)
    cash: defaultdict[str, Decimal] = defaultdict(lambda: ZERO, book.cash)
    return Book(account=book.account, lots=lots, contracts=dict(book.contracts), cash=cash)
