"""The library's client tells this object what it decodes; each call becomes one call of `Hears`.

It stands where the library's own wrapper would, and keeps no books. Method names and arguments are those of
the broker's API (EWrapper). What is not here was never asked for: where a decoder calls for it all the same,
the failure is seen as an undecodable message, so that nothing unexpected passes in silence.
"""

# ruff: noqa: N802  # the API's names

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from adapters.ibkr.session.heard import NO_NUMBER, Hears, HearsLink
from adapters.ibkr.session.translate import (
    account_value_row,
    completed_order,
    contract_row,
    open_order,
    order_status,
    position_row,
)

CONTRACTS_END, OPEN_ORDERS_END, EXECUTIONS_END = 52, 53, 55
POSITIONS_END, ACCOUNT_VALUES_END, COMPLETED_ORDERS_END = 62, 74, 102


class LinkListener:
    """The receiving end of one connection, as far as every connection needs it."""

    def __init__(self, hears: HearsLink, time_zone: str, wake: Callable[[], None]) -> None:
        self._link_hears = hears
        self._wake = wake
        self.ib = SimpleNamespace(TimezoneTWS=time_zone)  # where the decoder looks for the gateway's zone
        self.defaultTimezone = UTC

    # the connection

    def connectAck(self) -> None:
        """Nothing to do: the client starts the API by itself."""

    def setEventsDone(self) -> None:
        """Nothing to do: there are no subscriptions of the library's."""

    def connectionClosed(self) -> None:
        """Nothing to do: the link hears it from the socket, also before the API was ready."""

    def tcpDataArrived(self) -> None:
        """Bytes came."""
        self._link_hears.anything()

    def tcpDataProcessed(self) -> None:
        """All that came was decoded."""
        self._wake()

    def managedAccounts(self, accounts: str) -> None:
        """Nothing to do: the client keeps them."""

    def nextValidId(self, number: int) -> None:
        """The next order number; it may jump at any time."""
        self._link_hears.next_number(number)

    def error(self, number: int, code: int, text: str, advanced: str = "") -> None:
        """An error or a notice."""
        self._link_hears.error(number, code, text, advanced)

    def currentTime(self, epoch_s: int) -> None:
        """The broker's time, in whole seconds."""
        self._link_hears.time(datetime.fromtimestamp(epoch_s, UTC))


class Listener(LinkListener):
    """The receiving end of the broker session's connection."""

    def __init__(self, hears: Hears, time_zone: str, wake: Callable[[], None]) -> None:
        super().__init__(hears, time_zone, wake)
        self._hears = hears

    # orders

    def openOrder(self, order_id: int, contract: Any, order: Any, state: Any) -> None:
        """An order that is open, or was a moment ago; a what-if is no order."""
        if not order.whatIf:
            self._hears.order(open_order(order_id, contract, order, state))

    def openOrderEnd(self) -> None:
        """All open orders were told."""
        self._hears.end(OPEN_ORDERS_END, NO_NUMBER)

    def orderStatus(self, *fields: Any) -> None:
        """The status of an order."""
        self._hears.status(order_status(*fields))

    def completedOrder(self, contract: Any, order: Any, state: Any) -> None:
        """An order that is over."""
        self._hears.order(completed_order(contract, order, state))

    def completedOrdersEnd(self) -> None:
        """All completed orders were told."""
        self._hears.end(COMPLETED_ORDERS_END, NO_NUMBER)

    # executions: the tap has them as text already

    def execDetails(self, number: int, contract: Any, execution: Any) -> None:
        """Decoded, so that a message which is not one raises the alarm; it was heard as text."""

    def commissionReport(self, report: Any) -> None:
        """Likewise."""

    def execDetailsEnd(self, number: int) -> None:
        """All executions of the day were told."""
        self._hears.end(EXECUTIONS_END, number)

    # accounts

    def position(self, account: str, contract: Any, quantity: float, average_cost: float) -> None:
        """A position."""
        self._hears.position(position_row(account, contract, quantity, average_cost))

    def positionEnd(self) -> None:
        """All positions were told."""
        self._hears.end(POSITIONS_END, NO_NUMBER)

    def accountUpdateMulti(
        self, number: int, account: str, _model: str, name: str, value: str, currency: str
    ) -> None:
        """A figure of an account."""
        self._hears.account_value(number, account_value_row(account, name, value, currency))

    def accountUpdateMultiEnd(self, number: int) -> None:
        """All figures of an account were told once."""
        self._hears.end(ACCOUNT_VALUES_END, number)

    def updateAccountValue(self, *_fields: Any) -> None:
        """Of the single-account subscription, which is not used."""

    def updatePortfolio(self, *_fields: Any) -> None:
        """Likewise."""

    # contracts

    def contractDetails(self, number: int, details: Any) -> None:
        """What a contract is."""
        self._hears.contract(number, contract_row(details))

    def contractDetailsEnd(self, number: int) -> None:
        """All contracts of a question were told."""
        self._hears.end(CONTRACTS_END, number)
