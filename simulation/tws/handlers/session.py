"""Requests about the connection itself."""

from simulation.tws.client import Client
from simulation.tws.notices import text_of
from simulation.tws.replies import session as say
from simulation.tws.requests.account import CancelSubscription
from simulation.tws.requests.session import CurrentTime, ManagedAccounts, NextId, Noted
from simulation.tws.state import GatewayState

MISSING_CODE = {  # kinds whose cancel fails loudly
    "level1": 300,
    "bars": 300,
    "tick_by_tick": 300,
    "depth": 310,
    "scanner": 365,
    "history": 366,
    "profit": 10185,
    "profit_single": 10186,
}


def next_id(state: GatewayState, client: Client, request: NextId) -> None:
    assert client.client_id is not None
    client.send(say.next_valid_id(state.broker.next_order_id(client.client_id)))


def managed_accounts(state: GatewayState, client: Client, request: ManagedAccounts) -> None:
    client.send(say.managed_accounts(state.accounts))


def current_time(state: GatewayState, client: Client, request: CurrentTime) -> None:
    client.send(say.current_time(state.clock.told()))


def noted(state: GatewayState, client: Client, request: Noted) -> None:
    """Nothing to say."""


def cancel_subscription(state: GatewayState, client: Client, request: CancelSubscription) -> None:
    was_running = client.subscriptions.end(request.kind, request.request_id)
    code = MISSING_CODE.get(request.kind)
    if was_running or code is None:
        return
    text = text_of(code, request_id=request.request_id)
    client.error(request.request_id, code, text)
