"""One connection to the gateway: the client library's client, opened, written to, closed for sure.

Each attempt has a client of its own, so that nothing of a dead connection is left in the next. Closing aborts
the transport: a polite close waits until a peer that no longer reads has read everything, and leaves the
socket open for as long.
"""

import asyncio
from collections.abc import Callable, Mapping, Set
from enum import StrEnum
from typing import Any

from adapters.ibkr.session.client_library import all_executions, new_client, new_contract
from adapters.ibkr.session.heard import Hears, HearsLink
from adapters.ibkr.session.listener import Listener
from adapters.ibkr.session.orders_native import native_order
from adapters.ibkr.session.pacing import Request, Send
from adapters.ibkr.session.tap import AS_TEXT, tap
from trading.settings import BrokerSettings

Sender = Callable[[Any, Request], None]


class Link:
    """A connection from its first attempt to its end; `hears` is told of both, `wake` after each packet.

    `listen` makes what the library tells its messages to, `senders` how each request is written; messages of
    the kinds `as_text` are heard as they came, too. The library's own throttle counts this machine's seconds;
    without it only our queue does.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        hears: HearsLink,
        wake: Callable[[], None],
        *,
        listen: Callable[[], object],
        senders: Mapping[StrEnum, Sender],
        as_text: Set[str],
        is_throttled: bool = True,
    ) -> None:
        self._settings = settings
        self._hears = hears
        self._wake = wake
        self._listen = listen
        self._senders = senders
        self._as_text = as_text
        self._is_throttled = is_throttled
        self._client: Any = None
        self._transport: Any = None
        self._attempt: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Connect in the background; the outcome is heard."""
        self.close()
        client = new_client(self._listen(), is_throttled=self._is_throttled)
        tap(client.decoder, self._hears, self._as_text)
        client.conn.disconnected += lambda reason: self._closed(client, reason)
        self._client = client
        self._attempt = asyncio.get_running_loop().create_task(self._connect(client))

    def close(self) -> None:
        """End it now; nothing more is heard of it."""
        client, self._client = self._client, None
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None
        if client is not None and client.conn.transport is not None:
            client.conn.transport.abort()

    def send(self, request: Request) -> None:
        """Write one message; a connection that is going down swallows it, which is heard as its end."""
        if self._client is not None and self._client.isReady():
            self._senders[request.send](self._client, request)

    async def _connect(self, client: Any) -> None:
        settings = self._settings
        try:
            await client.connectAsync(
                settings.host, settings.port, settings.client_id, settings.connect_timeout_s
            )
        except Exception as error:  # noqa: BLE001 - whatever it was, there is no connection: it is heard
            if client.conn.transport is not None:
                client.conn.transport.abort()
            reason = str(error) or type(error).__name__
            self._closed(client, f"no connection to {settings.host}:{settings.port}: {reason}")
            return
        if client is self._client:
            self._hears.link_ready(tuple(client.getAccounts()), client.serverVersion())
            self._wake()

    def _closed(self, client: Any, reason: str) -> None:
        if client is self._client:
            self._client = None
            self._hears.link_closed(reason or "the gateway closed the connection")
            self._wake()


def broker_link(settings: BrokerSettings, hears: Hears, wake: Callable[[], None]) -> Link:
    """The broker session's link."""
    return Link(
        settings,
        hears,
        wake,
        listen=lambda: Listener(hears, settings.time_zone, wake),
        senders=SENDERS,
        as_text=AS_TEXT,
    )


def _place(client: Any, request: Request) -> None:
    contract, order = native_order(request.content)
    client.placeOrder(request.number, contract, order)


def _contract(client: Any, request: Request) -> None:
    client.reqContractDetails(request.number, new_contract(conId=request.content))


SENDERS: Mapping[StrEnum, Sender] = {
    Send.POSITIONS: lambda client, _: client.reqPositions(),
    Send.CANCEL_POSITIONS: lambda client, _: client.cancelPositions(),
    Send.OPEN_ORDERS: lambda client, _: client.reqAllOpenOrders(),
    Send.COMPLETED_ORDERS: lambda client, _: client.reqCompletedOrders(False),
    Send.EXECUTIONS: lambda client, request: client.reqExecutions(request.number, all_executions()),
    Send.ACCOUNT_VALUES: lambda client, request: client.reqAccountUpdatesMulti(
        request.number, request.account, "", False
    ),
    Send.CANCEL_ACCOUNT_VALUES: lambda client, request: client.cancelAccountUpdatesMulti(request.number),
    Send.TIME: lambda client, _: client.reqCurrentTime(),
    Send.NEXT_NUMBER: lambda client, _: client.reqIds(1),
    Send.CONTRACT: _contract,
    Send.PLACE: _place,
    Send.CANCEL: lambda client, request: client.cancelOrder(request.number),
    Send.CANCEL_ALL: lambda client, _: client.reqGlobalCancel(),
}
