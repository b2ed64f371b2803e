"""The sample trader: one session of orders from the seed, placed inside the broker under a client's id.

A listening client hears them as if it had placed them: openings, closings, verticals, brackets, orders that
are changed or cancelled. What is decided is drawn for each order by itself, from the seed, account, session
and the order's place, so an order that another client places changes nothing but what the trader holds.
Its order ids lie in a block of their own and do not move the client's numbering.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from simulation.broker.exchange import SimulatedBroker
from simulation.broker.model import BrokerSays, Leg, Ticket
from simulation.broker.orders import TRADER_IDS_FROM
from simulation.market.parts import Touch
from simulation.market.paths import epoch
from simulation.market.rules import rule_of
from simulation.sample_desk.choices import Choices, strategy_of
from simulation.sample_desk.contracts import Contract, ContractMaster
from simulation.sample_desk.market import STEPS

ORDERS_MOST = 5_000  # of one account and session
FIRST_AFTER_OPEN = timedelta(seconds=45)
LAST_BEFORE_CLOSE = timedelta(minutes=50)
LEAVES_BEFORE_CLOSE = timedelta(minutes=30)
QUANTITY_MOST, INDEX_QUANTITY_MOST = 10, 3
LARGEST_MOST = 1_000
MARKET_PERCENT = 20  # of openings and closings
LONG_PERCENT = 60
WHOLE_PERCENT = 60
KEPT_PERCENT = 12  # of what expires in the money is kept to the end
TARGET, STOP = Decimal("1.20"), Decimal("0.85")  # of the entry price
FAR = Decimal("0.50")  # where an order is put that is meant to be cancelled
PATIENCE_S = (30, 600)
KINDS = (
    ("open", 45),
    ("close", 20),
    ("vertical", 10),
    ("bracket", 10),
    ("cancel", 8),
    ("change", 7),
)
Says = list[BrokerSays]


@dataclass(frozen=True, slots=True)
class Draws:
    """One order's own generator, and what it picks with it."""

    rng: Random
    choices: Choices

    def kind(self) -> str:
        """What sort of order this is."""
        draw = self.rng.randrange(sum(weight for _, weight in KINDS))
        for name, weight in KINDS:
            if draw < weight:
                return name
            draw -= weight
        raise ValueError(f"draw: expected less than all weights, was {draw} more")


@dataclass(slots=True, kw_only=True)
class SampleTrader:
    """Trades some accounts; `schedule` notes a session's orders in the broker's agenda."""

    broker: SimulatedBroker
    accounts: Sequence[str]
    client_id: int
    orders: int
    largest: int = QUANTITY_MOST  # contracts of one order; many make many partial fills
    master: ContractMaster = field(init=False)  # a copy: what the trader looks up is not listed by that
    numbers: "count[int]" = field(default_factory=lambda: count(TRADER_IDS_FROM))
    placed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.orders <= ORDERS_MOST:
            raise ValueError(f"orders: expected 0 to {ORDERS_MOST}, was {self.orders}")
        if not 1 <= self.largest <= LARGEST_MOST:
            raise ValueError(f"largest: expected 1 to {LARGEST_MOST}, was {self.largest}")

        self.master = ContractMaster(listed=dict(self.broker.world.listings.master.listed))

    def schedule(self, session: date) -> None:
        """Note all orders of a session; each happens at its moment, whoever moves the world there."""
        calendar = self.broker.world.calendar
        first = calendar.session_open(session) + FIRST_AFTER_OPEN
        last = calendar.session_close(session) - LAST_BEFORE_CLOSE
        for account in self.accounts:
            rng = Random(f"trader {self.broker.world.seed} {account} {session}")
            seconds = sorted(rng.randint(0, int((last - first).total_seconds())) for _ in range(self.orders))
            for place, second in enumerate(seconds):
                draws = self._draws(account, session, place)
                self._note(first + timedelta(seconds=second), account, session, draws)
            leaves = calendar.session_close(session) - LEAVES_BEFORE_CLOSE
            draws = self._draws(account, session, ORDERS_MOST)
            self.broker.agenda.note(leaves, lambda at, a=account, d=draws: self._leave(a, session, d, at))  # type: ignore[misc]

    def _note(self, at: datetime, account: str, session: date, draws: Draws) -> None:
        acts: dict[str, Callable[[str, date, Draws, datetime], Says]] = {
            "open": self._open,
            "close": self._close,
            "vertical": self._vertical,
            "bracket": self._bracket,
            "cancel": self._place_and_cancel,
            "change": self._place_and_change,
        }
        act = acts[draws.kind()]
        self.broker.agenda.note(at, lambda moment: act(account, session, draws, moment))

    def _draws(self, account: str, session: date, place: int) -> Draws:
        world = self.broker.world
        rng = Random(f"trader {world.seed} {account} {session} {place}")
        choices = Choices(rng=rng, market=world.market, master=self.master, calendar=world.calendar)
        return Draws(rng, choices)

    # --- what it does

    def _open(self, account: str, session: date, draws: Draws, at: datetime) -> Says:
        contract = self._series(session, draws, at)
        side = 1 if draws.choices.chance(LONG_PERCENT) else -1
        return self._order(account, session, contract, side, self._quantity(contract, draws), draws, at)

    def _close(self, account: str, session: date, draws: Draws, at: datetime) -> Says:
        held = [row for row in self.broker.ledgers[account].holdings() if row[0].asset == "OPT"]
        if not held:
            return self._open(account, session, draws, at)
        contract, quantity, _ = draws.rng.choice(held)
        whole = draws.choices.chance(WHOLE_PERCENT)
        many = abs(int(quantity)) if whole else draws.rng.randint(1, abs(int(quantity)))
        return self._order(account, session, contract, -1 if quantity > 0 else 1, many, draws, at)

    def _vertical(self, account: str, session: date, draws: Draws, at: datetime) -> Says:
        first = self._series(session, draws, at)
        wing = 2 * first.underlying.strike_step_cents if first.underlying else 0
        second = draws.choices.shifted(first, first.right, wing)
        if second.conid not in self.broker.world.listings.by_conid:
            return []
        legs = (
            Leg(conid=first.conid, ratio=1, action="BUY"),
            Leg(conid=second.conid, ratio=1, action="SELL"),
        )
        ticket = replace(
            self._ticket(account, session, first, 1, draws.rng.randint(1, 4)), contract=None, legs=legs
        )
        return self._place(ticket, at)

    def _bracket(self, account: str, session: date, draws: Draws, at: datetime) -> Says:
        """A purchase with a target and a stop; the stop releases the family."""
        contract = self._series(session, draws, at)
        touch = self._touch(contract, at)
        if touch is None or not touch.bid:
            return []
        rule = rule_of(contract)
        parent = self._ticket(account, session, contract, 1, self._quantity(contract, draws))
        parent = replace(parent, order_type="LMT", limit_price=_dollars(touch.ask), transmit=False)
        target, stop = rule.up(int(touch.ask * TARGET) + 1), max(1, rule.down(int(touch.bid * STOP)))
        child = replace(parent, action="SELL", parent_id=parent.order_id, oca_type=2)
        child = replace(child, oca_group=f"{account}-{parent.order_id}")
        said = self._place(parent, at)
        said += self._place(replace(child, order_id=next(self.numbers), limit_price=_dollars(target)), at)
        stop_ticket = replace(child, order_id=next(self.numbers), order_type="STP", limit_price=None)
        return said + self._place(replace(stop_ticket, aux_price=_dollars(stop), transmit=True), at)

    def _place_and_cancel(self, account: str, session: date, draws: Draws, at: datetime) -> Says:
        contract = self._series(session, draws, at)
        touch = self._touch(contract, at)
        if touch is None or not touch.bid:
            return []
        far = max(rule_of(contract).increment(0), rule_of(contract).down(int(touch.bid * FAR)))
        ticket = self._ticket(account, session, contract, 1, self._quantity(contract, draws))
        said = self._place(replace(ticket, order_type="LMT", limit_price=_dollars(far)), at)
        later = at + timedelta(seconds=draws.rng.randint(*PATIENCE_S))
        self.broker.agenda.note(
            later, lambda moment: self.broker.cancel(self.client_id, ticket.order_id, moment)
        )
        return said

    def _place_and_change(self, account: str, session: date, draws: Draws, at: datetime) -> Says:
        """Joins the bid, and after some patience goes to the ask of then."""
        contract = self._series(session, draws, at)
        touch = self._touch(contract, at)
        if touch is None or not touch.bid:
            return []
        ticket = self._ticket(account, session, contract, 1, self._quantity(contract, draws))
        ticket = replace(ticket, order_type="LMT", limit_price=_dollars(touch.bid))
        said = self._place(ticket, at)
        later = at + timedelta(seconds=draws.rng.randint(*PATIENCE_S))
        self.broker.agenda.note(later, lambda moment: self._change(ticket, moment))
        return said

    def _change(self, ticket: Ticket, at: datetime) -> Says:
        order = self.broker.register.find(ticket.client_id, ticket.order_id)
        if order is None or order.status.is_done or ticket.contract is None:
            return []
        touch = self._touch(ticket.contract, at)
        if touch is None:
            return []
        return self.broker.place(replace(ticket, limit_price=_dollars(touch.ask)), at)

    def _leave(self, account: str, session: date, draws: Draws, at: datetime) -> Says:
        """Half an hour before the end most of what would be delivered is closed."""
        said: Says = []
        for contract, quantity, _ in self.broker.ledgers[account].holdings():
            if contract.asset != "OPT" or contract.expiry != session or contract.underlying is None:
                continue
            spot = self.broker.world.quotes.spot_cents(contract.underlying, epoch(at))
            keeps = contract.settles_in_cash or draws.choices.chance(KEPT_PERCENT)
            if contract.intrinsic_cents(spot) and not keeps:
                side = -1 if quantity > 0 else 1
                ticket = self._ticket(account, session, contract, side, abs(int(quantity)))
                said += self._place(ticket, at)
        return said

    # --- how it does it

    def _order(
        self,
        account: str,
        session: date,
        contract: Contract,
        side: int,
        many: int,
        draws: Draws,
        at: datetime,
    ) -> Says:
        """At the far side of the touch, or at the market."""
        touch = self._touch(contract, at)
        if touch is None or not touch.bid:
            return []
        ticket = self._ticket(account, session, contract, side, many)
        if not draws.choices.chance(MARKET_PERCENT):
            price = touch.ask if side > 0 else touch.bid
            ticket = replace(ticket, order_type="LMT", limit_price=_dollars(price))
        return self._place(ticket, at)

    def _ticket(self, account: str, session: date, contract: Contract, side: int, many: int) -> Ticket:
        return Ticket(
            client_id=self.client_id,
            order_id=next(self.numbers),
            account=account,
            contract=contract,
            action="BUY" if side > 0 else "SELL",
            quantity=Decimal(many),
            order_type="MKT",
            order_ref=strategy_of(contract, session),
        )

    def _place(self, ticket: Ticket, at: datetime) -> Says:
        self.placed += 1
        return self.broker.place(ticket, at)

    def _series(self, session: date, draws: Draws, at: datetime) -> Contract:
        calendar = self.broker.world.calendar
        opens, closes = calendar.session_open(session), calendar.session_close(session)
        step = min(STEPS, int((at - opens) * STEPS / (closes - opens)))
        return draws.choices.series(session, step)

    def _quantity(self, contract: Contract, draws: Draws) -> int:
        return draws.rng.randint(1, INDEX_QUANTITY_MOST if contract.settles_in_cash else self.largest)

    def _touch(self, contract: Contract, at: datetime) -> Touch | None:
        if contract.conid not in self.broker.world.listings.by_conid:
            return None
        return self.broker.world.quotes.touch(contract, epoch(at))


def _dollars(cents: int) -> Decimal:
    return Decimal(cents) / 100
