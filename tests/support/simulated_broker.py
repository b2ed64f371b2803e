"""A small simulated world and broker for tests: one account, and time in the test's hand."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

from simulation.broker.exchange import SimulatedBroker
from simulation.broker.ledger import AccountSpec
from simulation.broker.model import (
    BrokerSays,
    Commissioned,
    Executed,
    OrderTold,
    Refused,
    Status,
    Ticket,
    WhatIf,
)
from simulation.broker.questions import ContractQuery
from simulation.market.world import World, new_world
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.month import Account

ACCOUNT = "U8800001"
CLIENT = 11
SESSION = date(2026, 11, 13)
SPEC = AccountSpec(
    account=Account(name=ACCOUNT, base_currency="USD", dashed_times=False, live_zone="US/Eastern"),
    cash={"USD": Decimal(5_000_000)},
)


@cache
def world(seed: int = 7) -> World:
    """Three sessions from Friday on; nothing in it changes, so all tests share it."""
    return new_world(seed, SESSION, 3)


class Desk:
    """A broker and a hand on its clock; `said` is all that it said so far."""

    def __init__(self, seed: int = 7) -> None:
        self.world = world(seed)
        self.broker = SimulatedBroker(self.world, [SPEC])
        self.now = self.opens + timedelta(minutes=30)
        self.said: list[BrokerSays] = []
        self.heard(self.broker.advance(self.now))
        self._ids = 0

    @property
    def opens(self) -> datetime:
        """The first session's opening."""
        return self.world.calendar.session_open(SESSION)

    def heard(self, says: Iterable[BrokerSays]) -> list[BrokerSays]:
        """Keep what was said."""
        told = list(says)
        self.said += told
        return told

    def wait(self, seconds: float) -> list[BrokerSays]:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self.heard(self.broker.advance(self.now))

    def option(
        self, strike: int = 673, right: str = "C", symbol: str = "SPY", day: str = "20261113"
    ) -> Contract:
        """A listed option."""
        query = ContractQuery(
            symbol=symbol,
            sec_type="OPT",
            expiry=day,
            right=right,
            strike=Decimal(strike),
            include_expired=True,
        )
        return self.broker.contracts(query)[0].contract

    def share(self, symbol: str = "SPY") -> Contract:
        """The share itself."""
        return self.broker.contracts(ContractQuery(symbol=symbol, sec_type="STK"))[0].contract

    def ticket(self, action: str = "BUY", quantity: int = 1, **more: object) -> Ticket:
        """An order of the next number, at the market if nothing else is said."""
        self._ids += 1
        plain = Ticket(
            client_id=CLIENT,
            order_id=self._ids,
            account=ACCOUNT,
            contract=self.option(),
            action=action,
            quantity=Decimal(quantity),
            order_type="MKT",
        )
        return replace(plain, **more)  # type: ignore[arg-type]

    def place(self, ticket: Ticket) -> list[BrokerSays]:
        """Place it now."""
        return self.heard(self.broker.place(ticket, self.now))

    def order(self, action: str = "BUY", quantity: int = 1, **more: object) -> Ticket:
        """Place an order and give its ticket."""
        ticket = self.ticket(action, quantity, **more)
        self.place(ticket)
        return ticket

    def cancel(self, order_id: int) -> list[BrokerSays]:
        """Cancel an order of ours."""
        return self.heard(self.broker.cancel(CLIENT, order_id, self.now))

    def status(self, ticket: Ticket) -> Status:
        """How the order stands."""
        order = self.broker.register.find(ticket.client_id, ticket.order_id)
        assert order is not None
        return order.status

    def bid_ask(self, contract: Contract | None = None) -> tuple[Decimal, Decimal]:
        """The touch now."""
        quote = self.broker.quote((contract or self.option()).conid, self.now)
        assert quote.bid is not None and quote.ask is not None
        return quote.bid, quote.ask


def executions(says: Iterable[BrokerSays]) -> list[Executed]:
    """Executions among what was said."""
    return [item for item in says if isinstance(item, Executed)]


def codes(says: Iterable[BrokerSays]) -> list[int]:
    """Codes of errors and notices among what was said."""
    return [item.code for item in says if isinstance(item, Refused)]


def statuses(says: Iterable[BrokerSays], order_id: int) -> list[Status]:
    """What was said about the standing of one order, in order."""
    return [
        item.order.status
        for item in says
        if isinstance(item, OrderTold) and item.order.ticket.order_id == order_id
    ]


def kinds(says: Iterable[BrokerSays]) -> str:
    """What was said, as letters: O order, E execution, C commission, R refusal, W what-if."""
    letters = {OrderTold: "O", Executed: "E", Commissioned: "C", Refused: "R", WhatIf: "W"}
    return "".join(letters[type(item)] for item in says)
