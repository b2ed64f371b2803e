"""Requests about accounts. An account the login does not see is error 321, never an empty answer."""

from simulation.tws.account_feeds import (
    AccountFeed,
    PositionFeed,
    ProfitFeed,
    ProfitSingleFeed,
    SummaryFeed,
)
from simulation.tws.client import Client
from simulation.tws.notices import text_of
from simulation.tws.replies import account as say
from simulation.tws.replies.session import NO_REQUEST
from simulation.tws.requests.account import (
    AccountSummary,
    AccountUpdates,
    AccountUpdatesMulti,
    CancelPositions,
    Positions,
    PositionsMulti,
    Profit,
    ProfitSingle,
)
from simulation.tws.state import GatewayState

SUMMARIES_MAX = 2  # the API allows two account summaries at a time
WITHOUT_ID = 0


def positions(state: GatewayState, client: Client, request: Positions) -> None:
    feed = PositionFeed()
    for message in feed.news(state, state.clock.now()):
        client.send(message)
    if not state.faults.omit_positions_end:
        client.send(say.positions_end())
    client.subscriptions.add("positions", WITHOUT_ID, feed)


def cancel_positions(state: GatewayState, client: Client, request: CancelPositions) -> None:
    client.subscriptions.end("positions", WITHOUT_ID)


def positions_multi(state: GatewayState, client: Client, request: PositionsMulti) -> None:
    if _is_unknown(state, client, request.request_id, request.account):
        return
    for view in state.broker.positions():
        if view.quantity and request.account in ("", view.account):
            client.send(say.position_multi(request.request_id, view, request.model))
    client.send(say.positions_multi_end(request.request_id))


def account_updates(state: GatewayState, client: Client, request: AccountUpdates) -> None:
    client.subscriptions.end("account", WITHOUT_ID)
    if not request.subscribes or _is_unknown(state, client, NO_REQUEST, request.account):
        return
    feed = AccountFeed(request.account or state.accounts[0])
    for message in feed.whole(state, state.clock.now()):
        client.send(message)
    client.subscriptions.add("account", WITHOUT_ID, feed)


def account_updates_multi(state: GatewayState, client: Client, request: AccountUpdatesMulti) -> None:
    if _is_unknown(state, client, request.request_id, request.account):
        return
    account = request.account or state.accounts[0]
    for value in state.broker.account_values(account, state.clock.now()):
        client.send(say.account_update_multi(request.request_id, account, request.model, *value))
    client.send(say.account_update_multi_end(request.request_id))


def account_summary(state: GatewayState, client: Client, request: AccountSummary) -> None:
    if client.subscriptions.count("summary") >= SUMMARIES_MAX:
        reason = "Maximum number of account summary requests exceeded"
        client.error(request.request_id, 322, text_of(322, request="cM", reason=reason))
        return
    feed = SummaryFeed(request.request_id, request.tags)
    for message in feed.news(state, state.clock.now()):
        client.send(message)
    client.send(say.account_summary_end(request.request_id))
    client.subscriptions.add("summary", request.request_id, feed)


def profit(state: GatewayState, client: Client, request: Profit) -> None:
    if _is_unknown(state, client, request.request_id, request.account):
        return
    if client.may_subscribe("profit", request.request_id):
        account = request.account or state.accounts[0]
        client.subscriptions.add("profit", request.request_id, ProfitFeed(request.request_id, account))


def profit_single(state: GatewayState, client: Client, request: ProfitSingle) -> None:
    if _is_unknown(state, client, request.request_id, request.account):
        return
    if client.may_subscribe("profit_single", request.request_id):
        feed = ProfitSingleFeed(request.request_id, request.account or state.accounts[0], request.conid)
        client.subscriptions.add("profit_single", request.request_id, feed)


def _is_unknown(state: GatewayState, client: Client, request_id: int, account: str) -> bool:
    """Say so when the login does not see the account; an empty one means the first."""
    if account in ("", *state.accounts):
        return False
    reason = f"Invalid account code '{account}'."
    client.error(request_id, 321, text_of(321, request="b3", reason=reason))
    return True
