"""What can be heard on a link, as plain values: how the edge talks to the pure session.

Belongs here: the values and the protocol. Keep out: the client library's objects (`translate` reads them).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from trading.model.broker import AccountValue, BrokerOrder, BrokerPosition

NO_NUMBER = -1  # what a message carries that answers nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeard:
    """An open or completed order; `native` is the library's contract and order, kept for a modification."""

    order: BrokerOrder
    parent_order_id: int
    native: tuple[object, object] | None
    completed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusHeard:
    """A status message; it names no contract, so alone it is no order."""

    client_id: int
    order_id: int
    perm_id: str
    parent_order_id: int
    status: str
    filled: Decimal
    remaining: Decimal
    average_price: Decimal | None
    why_held: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractHeard:
    """What the broker says a contract id is."""

    conid: int
    sec_type: str
    symbol: str
    local_symbol: str
    exchange: str


class HearsLink(Protocol):
    """Who is told what every link hears. No method may raise: the library would log it and go on."""

    def link_ready(self, accounts: tuple[str, ...], server_version: int) -> None:
        """Say that the handshake is over and requests may be sent."""

    def link_closed(self, reason: str) -> None:
        """Say that there is no connection: it broke, or did not come about."""

    def anything(self) -> None:
        """Say that bytes came, whatever they were."""

    def message(self, fields: tuple[str, ...]) -> None:
        """Hand over a message of the kinds that are wanted as text, as it came."""

    def undecodable(self, fields: tuple[str, ...], error: str) -> None:
        """Hand over a message that the library cannot read."""

    def error(self, number: int, code: int, text: str, advanced: str) -> None:
        """Hand over an error or notice (4)."""

    def time(self, broker_at: datetime) -> None:
        """Hand over the broker's time (49)."""

    def next_number(self, number: int) -> None:
        """Hand over the next number that is valid for an order (9)."""


class Hears(HearsLink, Protocol):
    """Who is told what the broker session's link hears; as text: executions (11) and commissions (59)."""

    def order(self, heard: OrderHeard) -> None:
        """Hand over an open (5) or completed (101) order."""

    def status(self, heard: StatusHeard) -> None:
        """Hand over an order's status (3)."""

    def position(self, row: BrokerPosition) -> None:
        """Hand over a position (61)."""

    def account_value(self, number: int, row: AccountValue) -> None:
        """Hand over a figure of an account (73)."""

    def contract(self, number: int, row: ContractHeard) -> None:
        """Hand over what a contract is (10)."""

    def end(self, message: int, number: int) -> None:
        """Say that an answer is over: 52, 53, 55, 62, 74 or 102, and which request's where it says so."""
