"""The simulated broker: what the gateway calls. Time comes in with each call and never runs back.

Every call first lets the world catch up to its moment, second by second, so what is told is in the order of
simulated time whoever asked last. `advance(a)` and `advance(b)` tell together what `advance(b)` tells.
Keep out: the wire, and whatever the wire may do to what is said here.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from simulation.broker.agenda import Action, Agenda
from simulation.broker.answers import Answers
from simulation.broker.conduct import Conduct, Refusal
from simulation.broker.fills import Executions, executed
from simulation.broker.ledger import AccountSpec, opened_ledger
from simulation.broker.model import (
    BrokerSays,
    OrderTold,
    Refused,
    Status,
    Ticket,
    WhatIf,
)
from simulation.broker.modifications import modify
from simulation.broker.order_desk import OrderDesk
from simulation.broker.order_hours import OrderHours
from simulation.broker.orders import OrderRegister, Part, Working
from simulation.broker.refusals import (
    CANCEL_IMPOSSIBLE,
    CANCEL_NOT_FOUND,
    NOT_CANCELLABLE,
    Situation,
    refused,
)
from simulation.broker.truth import confirmation_text, files_of, journal_of, statement_xml
from simulation.broker.valuation import Valuation
from simulation.market.hours import BOOKED_AT, local
from simulation.market.paths import epoch, moment_of
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.endings import ending_of
from simulation.sample_desk.journal import Journal
from simulation.sample_desk.numbering import Ids
from simulation.sample_desk.trades import Trade

AHEAD_OF_THE_MONTH = 50_000_000  # more numbers than the sample desk's month can use
HAND_CLIENT = 0


class SimulatedBroker(Answers):
    """Accounts, orders, matching, executions, books; one per simulated world."""

    def __init__(self, world: World, accounts: Sequence[AccountSpec]) -> None:
        self.world = world
        self.conduct = Conduct()
        first = world.sessions[0]
        self.ledgers = {spec.account.name: opened_ledger(spec, first) for spec in accounts}
        self.ids = Ids(Random(f"ids {world.seed} {first}"), ahead=AHEAD_OF_THE_MONTH)
        self.register = OrderRegister()
        self.agenda = Agenda()
        self.valuation = Valuation(world=world, ledgers=self.ledgers)
        self.executed = Executions(seed=world.seed, ids=self.ids, conduct=self.conduct, ledgers=self.ledgers)
        self.desk = OrderDesk(
            world=world,
            hours=OrderHours(world),
            register=self.register,
            agenda=self.agenda,
            executions=self.executed,
            conduct=self.conduct,
            affordable=self.valuation.refusal,
        )
        self._now = local(first, BOOKED_AT) - timedelta(days=1)
        self._hand_orders = 0
        for session in world.sessions:
            self.agenda.note(local(session, BOOKED_AT), self._book_session(session))

    # --- orders

    def place(self, ticket: Ticket, now: datetime) -> list[BrokerSays]:
        """Place an order, change a known one, or (what_if) ask what it would bind."""
        said = self.advance(now)
        known = self.register.find(ticket.client_id, ticket.order_id)
        if known is not None and not ticket.what_if:
            return said + modify(self.desk, known, ticket, self._now)
        parent = self.register.find(ticket.client_id, ticket.parent_id) if ticket.parent_id else None
        refusal = refused(ticket, self._situation(ticket, parent))
        if refusal is not None:
            return [*said, _refused(ticket, refusal)]
        order = self._working(ticket, parent)
        if ticket.what_if:
            unset = self.conduct.what_if_unset
            margin = self.valuation.what_if(ticket, order.parts, self._now, unset=unset)
            return [*said, WhatIf(order=replace(order.view(), status=Status.PRE_SUBMITTED), margin=margin)]
        told = self.desk.accept(order, self._now)
        return said + (_execution_first(told) if self.conduct.execution_first else told)

    def cancel(self, client_id: int, order_id: int, now: datetime) -> list[BrokerSays]:
        """Cancel an order: 10147 unknown, 161 filled, 10148 in another state that cannot be cancelled."""
        said = self.advance(now)
        order = self.register.find(client_id, order_id)
        refusal = _cancel_refusal(order, order_id)
        if order is None or refusal is not None:
            told = refusal or Refusal(code=CANCEL_NOT_FOUND, text="")
            return [*said, Refused(client_id=client_id, order_id=order_id, code=told.code, text=told.text)]
        if not self.conduct.cancel_takes or not order.released:
            return said + self.desk.cancel(order, self._now)
        order.move(Status.PENDING_CANCEL)
        self.agenda.note(
            self._now + self.conduct.cancel_takes,
            lambda at: [] if order.status.is_done else self.desk.cancel(order, at),
        )
        return [*said, OrderTold(order=order.view(), open_order=False)]

    def global_cancel(self, now: datetime) -> list[BrokerSays]:
        """Cancel all live orders, those placed by hand too."""
        said = self.advance(now)
        for order in self.register.live():
            if not order.status.is_done:
                said += self.desk.cancel(order, self._now)
        return said

    def advance(self, now: datetime) -> list[BrokerSays]:
        """Let the world go on to this moment; a moment that is past already changes nothing."""
        said: list[BrokerSays] = []
        second, last = epoch(self._now) + 1, epoch(now)
        while second <= last:
            second = self._next_busy_second(second, last)
            at = moment_of(second)
            said += self._due(at)
            if self.desk.active:
                said += self.desk.round(second, at)
            second += 1
        said += self._due(now)
        self._now = max(self._now, now)
        return said

    # --- what happens to the truth

    def correct(
        self, exec_id: str, *, quantity: Decimal | None = None, price: Decimal | None = None, now: datetime
    ) -> list[BrokerSays]:
        """Print an execution of this session again, one revision higher."""
        said = self.advance(now)
        trade, order = self._open_trade(exec_id)
        told = self.executed.correct(order, trade, quantity, price, self._now.replace(microsecond=0))
        report = [] if told.commission is None else self.desk.report(told.commission, self._now)
        return [*said, executed(told), *report]

    def bust(self, exec_id: str, now: datetime) -> list[BrokerSays]:
        """Take an execution back; the API never says so, positions and the statement do."""
        said = self.advance(now)
        trade, _ = self._open_trade(exec_id)
        self.executed.bust(trade, self._now.replace(microsecond=0))
        return said

    def place_by_hand(
        self,
        account: str,
        conid: int,
        action: str,
        quantity: Decimal,
        now: datetime,
        limit_price: Decimal | None = None,
    ) -> list[BrokerSays]:
        """An order typed into the broker's own program: client 0, number 0 or below, no reference."""
        ticket = Ticket(
            client_id=HAND_CLIENT,
            order_id=-self._hand_orders,
            account=account,
            contract=self.contract_of(conid),
            action=action,
            quantity=quantity,
            order_type="MKT" if limit_price is None else "LMT",
            limit_price=limit_price,
        )
        self._hand_orders += 1
        return self.place(ticket, now)

    def move_position_silently(
        self, account: str, conid: int, quantity: Decimal | None, now: datetime
    ) -> list[BrokerSays]:
        """Exercise or assign (part of) a held option now: positions change, no execution is told."""
        said = self.advance(now)
        contract, ledger = self.contract_of(conid), self.ledgers[account]
        held = ledger.position(conid)
        moved = held if quantity is None else quantity.copy_sign(held)
        if not held or abs(moved) > abs(held) or contract.underlying is None or contract.asset != "OPT":
            raise ValueError(f"quantity: expected part of a held option, was {quantity} of {held}")
        spot = self.world.quotes.spot_cents(contract.underlying, epoch(self._now))
        trades = ending_of(self.ids, account, ledger.session, contract, int(moved), spot)
        ledger.add_endings([self._numbered(trade) for trade in trades])
        return said

    def behave(self, now: datetime, **switches: object) -> list[BrokerSays]:
        """Turn switches of the conduct from now on; a name that is none of them is an error."""
        said = self.advance(now)
        for name, value in switches.items():
            if name not in Conduct.__slots__:
                raise ValueError(f"conduct: expected one of {', '.join(Conduct.__slots__)}, was {name}")
            setattr(self.conduct, name, value)
        return said

    def close_session(self, session: date) -> list[BrokerSays]:
        """Go on to the moment at which the broker books the session, if it has not come yet."""
        return self.advance(max(self._now, local(session, BOOKED_AT)))

    # --- end of day

    def journal(self) -> Journal:
        """The truth, in the shape of the sample desk's journal."""
        return journal_of(self.world, self.ledgers, self._now)

    def statement(self, account: str, session: date) -> str:
        """The Activity statement."""
        return statement_xml(self.world, self.ledgers[account], session, self.conduct)

    def confirmation(self, account: str, session: date) -> str:
        """The Trade Confirmation."""
        return confirmation_text(self.world, self.ledgers[account], session)

    def files(self, session: date) -> list[tuple[str, str]]:
        """Name and text of all statements of a session."""
        return files_of(self.world, self.ledgers, session, self.conduct)

    # --- inside

    def _next_busy_second(self, second: int, last: int) -> int:
        """The next second in which something can happen: each one while orders are in the market."""
        if self.desk.active:
            return second
        due = self.agenda.next_at()
        if due is None:
            return last
        return min(max(second, -int(-due.timestamp() // 1)), last)

    def _due(self, until: datetime) -> list[BrokerSays]:
        said: list[BrokerSays] = []
        while (entry := self.agenda.take(until)) is not None:
            at, action = entry
            self._now = max(self._now, at)
            said += action(at)
        return said

    def _book_session(self, session: date) -> Action:
        def book(at: datetime) -> list[BrokerSays]:
            for ledger in self.ledgers.values():
                ledger.add_endings(self._endings(ledger.account.name, session))
                ledger.turn(self.world.calendar.next_session(session))
            return []

        return book

    def _endings(self, account: str, session: date) -> list[Trade]:
        trades: list[Trade] = []
        for contract, quantity, _ in self.ledgers[account].holdings():
            if contract.underlying is not None and self._ends(contract, session):
                close = self.world.market.close_cents(contract.underlying, session)
                for trade in ending_of(self.ids, account, session, contract, int(quantity), close):
                    trades.append(self._numbered(trade))
        return trades

    def _ends(self, contract: Contract, session: date) -> bool:
        """Whether an option's last session this is; one of a Saturday (before 2015) ends on the Friday."""
        expiry = contract.expiry
        return (
            contract.asset == "OPT"
            and expiry is not None
            and self.world.calendar.session_on_or_before(expiry) == session
        )

    def _numbered(self, trade: Trade) -> Trade:
        printed = replace(trade.prints[0], transaction_id=self.ids.transaction())
        return replace(trade, prints=(printed,), trade_id=self.ids.trade())

    def _open_trade(self, exec_id: str) -> tuple[Trade, Working]:
        trade, order = self.executed.find(exec_id)
        if trade.busted:
            raise ValueError(f"exec_id: expected an execution that stands, was {exec_id}")
        return trade, order

    def _situation(self, ticket: Ticket, parent: Working | None) -> Situation:
        hours, listed = self.world.hours, self.world.listings.by_conid
        contracts = [ticket.contract] if ticket.contract is not None else []
        contracts += [listed[leg.conid] for leg in ticket.legs if leg.conid in listed]
        over = any(hours.is_over(contract, self._now) for contract in contracts)
        unknown = any(leg.conid not in listed for leg in ticket.legs)
        by_hand = ticket.client_id == HAND_CLIENT and ticket.order_id <= 0
        return Situation(
            accounts=tuple(self.ledgers),
            parent=parent,
            is_not_there=over or unknown,
            id_is_used_up=not by_hand and self.register.is_used_up(ticket.client_id, ticket.order_id),
        )

    def _working(self, ticket: Ticket, parent: Working | None) -> Working:
        placed = self.ids.order(ticket.order_ref, self._now, ticket.quantity)
        return Working(
            ticket=ticket,
            perm_id=placed.perm_id,
            place=len(self.register.by_perm),
            placed_at=self._now,
            parts=self._parts(ticket),
            group_number=self.ids.group() if ticket.contract is None else 0,
            parent=parent,
        )

    def _parts(self, ticket: Ticket) -> tuple[Part, ...]:
        side = 1 if ticket.action == "BUY" else -1
        if ticket.contract is not None:
            return (Part(contract=ticket.contract, ratio=1, side=side),)
        return tuple(
            Part(
                contract=self.contract_of(leg.conid),
                ratio=leg.ratio,
                side=side if leg.action == "BUY" else -side,
            )
            for leg in ticket.legs
        )


def _cancel_refusal(order: Working | None, order_id: int) -> Refusal | None:
    if order is None:
        text = f"OrderId {order_id} that needs to be cancelled is not found."
        return Refusal(code=CANCEL_NOT_FOUND, text=text)
    if order.status is Status.FILLED:
        text = f"Cancel attempted when order is not in a cancellable state.  Order permId ={order.perm_id}"
        return Refusal(code=NOT_CANCELLABLE, text=text)
    if order.status.is_done or order.status is Status.PENDING_CANCEL:
        text = f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {order.status}."
        return Refusal(code=CANCEL_IMPOSSIBLE, text=text)
    return None


def _execution_first(said: list[BrokerSays]) -> list[BrokerSays]:
    """Tell the executions before the order's opening."""
    first = [item for item in said if not isinstance(item, OrderTold | Refused)]
    return [*first, *(item for item in said if isinstance(item, OrderTold | Refused))]


def _refused(ticket: Ticket, refusal: Refusal) -> Refused:
    return Refused(
        client_id=ticket.client_id,
        order_id=ticket.order_id,
        code=refusal.code,
        text=refusal.text,
        reject_json=refusal.reject_json,
    )
